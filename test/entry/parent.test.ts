import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isAlive } from '../support/process-table.ts'

const entry = fileURLToPath(new URL('../../runtime/entry/parent.ts', import.meta.url))

/** A parent that starts a child, says its process id, and stays. */
const parent = `
const child = Bun.spawn([process.execPath, process.argv[2]], {
  stdio: ['ignore', 'inherit', 'inherit'],
  ipc: () => process.stdout.write(String(child.pid) + '\\n'),
})
setInterval(() => undefined, 1000)
`

function childThat(does: string): string {
  return `import { exitWithParent } from ${JSON.stringify(entry)}
exitWithParent()
process.send('ready')
${does}
`
}

let directory: string
let child = 0

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-parent-'))
  await writeFile(join(directory, 'parent.ts'), parent)
})

afterEach(async () => {
  if (child > 0 && isAlive(child)) process.kill(child, 'SIGKILL')
  child = 0
  await rm(directory, { recursive: true })
})

/** Starts parent and child, kills the parent, and waits until the child has gone too. */
async function expectChildToFollow(does: string): Promise<void> {
  await writeFile(join(directory, 'child.ts'), childThat(does))
  const paths = ['parent.ts', 'child.ts'].map((name) => join(directory, name))
  const owner = Bun.spawn([process.execPath, ...paths], { stdio: ['ignore', 'pipe', 'inherit'] })
  const { value } = await owner.stdout.getReader().read()
  child = Number(new TextDecoder().decode(value))
  expect(child).toBeGreaterThan(0)
  expect(isAlive(child)).toBe(true)
  owner.kill('SIGKILL')
  await expect.poll(() => isAlive(child), { timeout: 5000 }).toBe(false)
}

describe('a process that exits with its parent', () => {
  it('ends when the parent is killed while it waits', async () => {
    await expectChildToFollow('setInterval(() => undefined, 1000)')
  })

  it('ends even where it ignores what it can and process.exit was replaced', async () => {
    await expectChildToFollow(`
process.exit = () => undefined
process.on('SIGTERM', () => undefined)
setInterval(() => undefined, 1000)`)
  })

  it.runIf(process.platform === 'linux')('ends on Linux in the middle of a loop too', async () => {
    await expectChildToFollow('setImmediate(() => { for (;;) {} })')
  })

  it('ends by itself when its parent closes the channel', async () => {
    await writeFile(join(directory, 'child.ts'), childThat('setInterval(() => undefined, 1000)'))
    const ready = Promise.withResolvers<unknown>()
    const subject = Bun.spawn([process.execPath, join(directory, 'child.ts')], { ipc: ready.resolve })
    child = subject.pid
    await ready.promise
    subject.disconnect()
    expect(await subject.exited).toBe(0)
  })

  it('ends at once where the parent that was named is not its parent', async () => {
    const text = `import { exitWithParent } from ${JSON.stringify(entry)}
exitWithParent(1e9)
console.log('still here')
`
    await writeFile(join(directory, 'child.ts'), text)
    const orphan = Bun.spawn([process.execPath, join(directory, 'child.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    expect(await new Response(orphan.stdout).text()).toBe('')
    expect(await orphan.exited).toBe(0)
  })
})
