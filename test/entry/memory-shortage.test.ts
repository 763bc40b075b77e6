import { expect, it } from 'vitest'

const entry = new URL('../../runtime/entry/memory-shortage.ts', import.meta.url).pathname

it.runIf(process.platform === 'linux')('makes the kernel end the process before others', async () => {
  const text = `
import { volunteerForMemoryShortage } from ${JSON.stringify(entry)}
volunteerForMemoryShortage()
console.log(await Bun.file('/proc/self/oom_score_adj').text())
`
  const child = Bun.spawn([process.execPath, '-e', text], { stdio: ['ignore', 'pipe', 'inherit'] })
  expect(Number(await new Response(child.stdout).text())).toBe(500)
})
