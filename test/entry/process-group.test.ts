import { afterEach, expect, it } from 'vitest'

const file = new URL('../../runtime/entry/process-group.ts', import.meta.url).pathname
const source = `
import { leadProcessGroup } from ${JSON.stringify(file)}
leadProcessGroup()
Bun.spawn(['sleep', '1000'], { stdio: ['ignore', 'ignore', 'ignore'] })
process.send('leads')
setInterval(() => undefined, 1000)
`

let child: ReturnType<typeof Bun.spawn> | null = null

afterEach(() => {
  if (child) process.kill(-child.pid, 'SIGKILL')
})

function idsOf(pid: number): { readonly group: number; readonly session: number } {
  const { stdout } = Bun.spawnSync(['ps', '-o', 'pgid=,sid=', '-p', String(pid)])
  const [group = 0, session = 0] = stdout.toString().trim().split(/\s+/).map(Number)
  return { group, session }
}

it.runIf(process.platform === 'linux')(
  'is led by its process, with all that it starts, in the same session',
  async () => {
    const ready = Promise.withResolvers<void>()
    child = Bun.spawn([process.execPath, '-e', source], {
      stdio: ['ignore', 'inherit', 'inherit'],
      ipc: () => ready.resolve(),
    })
    await ready.promise
    const { pid } = child
    expect(idsOf(pid)).toEqual({ group: pid, session: idsOf(process.pid).session })
    expect(idsOf(process.pid).group).not.toBe(pid)
    const { stdout } = Bun.spawnSync(['ps', '-o', 'pgid=', '--ppid', String(pid)])
    expect(Number(stdout.toString())).toBe(pid)
  },
)
