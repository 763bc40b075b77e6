import { describe, expect, it } from 'vitest'
import { EventLoopLag } from '../../runtime/observe/event-loop-lag.ts'

function standStill(forMs: number): void {
  const untilMs = performance.now() + forMs
  while (performance.now() < untilMs);
}

async function untilLooked(lag: EventLoopLag): Promise<void> {
  const before = lag.seconds.count
  while (lag.seconds.count === before) await Bun.sleep(1)
}

describe('the lag of an event loop', () => {
  it('is nothing before the first look', () => {
    using lag = new EventLoopLag()
    expect(lag.report()).toEqual({ p50Ms: 0, p99Ms: 0, maxMs: 0 })
    expect(lag.seconds.count).toBe(0)
  })

  it('counts every look that a loop missed while it stood still, with the wait that it would have had', async () => {
    using lag = new EventLoopLag({ intervalMs: 10 })
    standStill(210)
    await untilLooked(lag)
    const { p50Ms, maxMs } = lag.report()
    expect(lag.seconds.count).toBeGreaterThanOrEqual(20)
    expect(maxMs).toBeGreaterThanOrEqual(200)
    expect(p50Ms).toBeGreaterThanOrEqual(90)
  })

  it('is reported of the last looks only, and counted of all', async () => {
    using lag = new EventLoopLag({ intervalMs: 10, window: 1 })
    standStill(100)
    await untilLooked(lag)
    // The last of the missed looks waited for less than the time between two.
    expect(lag.report().maxMs).toBeLessThan(10)
    expect(lag.seconds.count).toBeGreaterThanOrEqual(9)
  })

  it('is not looked at any more once it is disposed of', async () => {
    const lag = new EventLoopLag({ intervalMs: 1 })
    await untilLooked(lag)
    lag[Symbol.dispose]()
    const { count } = lag.seconds
    await Bun.sleep(20)
    expect(lag.seconds.count).toBe(count)
  })

  it('keeps no process alive', async () => {
    const source = new URL('../../runtime/observe/event-loop-lag.ts', import.meta.url).pathname
    const program = `const { EventLoopLag } = await import(${JSON.stringify(source)}); new EventLoopLag()`
    const child = Bun.spawn([process.execPath, '-e', program], { stdout: 'ignore', stderr: 'inherit' })
    expect(await child.exited).toBe(0)
  })
})
