import { describe, expect, it } from 'vitest'
import { treeMicroseconds } from './tree-time.ts'

describe.runIf(process.platform === 'linux')('the processor time of a process tree', () => {
  it('counts what a child computes, while it runs and after it has ended', async () => {
    // It computes for 300 ms of its own processor time, says so, and waits to be told to end.
    const work = 'while (process.cpuUsage().user < 3e5); console.log("done"); await Bun.stdin.text()'
    const before = (await treeMicroseconds(process.pid)) ?? 0
    const child = Bun.spawn([process.execPath, '-e', work], { stdin: 'pipe', stdout: 'pipe' })
    await child.stdout.getReader().read()
    const meanwhile = (await treeMicroseconds(process.pid)) ?? 0
    const alone = (await treeMicroseconds(child.pid)) ?? 0
    expect(alone).toBeGreaterThanOrEqual(250_000)
    expect(meanwhile - before).toBeGreaterThanOrEqual(250_000)
    child.stdin.end()
    await child.exited
    expect(((await treeMicroseconds(process.pid)) ?? 0) - before).toBeGreaterThanOrEqual(250_000)
  })

  it('is nothing for a process that is not there', async () => {
    expect(await treeMicroseconds(2 ** 22 + 1)).toBe(0)
  })
})
