import { expect, it } from 'vitest'
import type { ReplicaHealth } from '../../runtime/replica/message.ts'
import { until } from '../support/server.ts'

const health = new URL('../../runtime/entry/health.ts', import.meta.url).pathname

/** Reports how it is, and stands still for a while after its first report. */
const source = `
import { reportHealth } from ${JSON.stringify(health)}
let first = true
reportHealth((health) => {
  process.send(health)
  if (first) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000)
  first = false
})
`

/** Its memory as the system sees it, in bytes. */
function residentSetOf(pid: number): number {
  const { stdout } = Bun.spawnSync(['ps', '-o', 'rss=', '-p', String(pid)])
  return Number(stdout.toString()) * 1024
}

it('tells how much memory a process has, and how late its timers were at worst since the last report', async () => {
  const reports: ReplicaHealth[] = []
  const child = Bun.spawn([process.execPath, '-e', source], {
    stdio: ['ignore', 'inherit', 'inherit'],
    ipc: (report: ReplicaHealth) => reports.push(report),
  })
  try {
    await until(() => reports.length === 3)
    const rss = residentSetOf(child.pid)
    const [, late, onTime] = reports
    expect(late?.eventLoopLagMs).toBeGreaterThan(500)
    expect(onTime?.eventLoopLagMs).toBeLessThan(late?.eventLoopLagMs ?? 0)
    expect(onTime?.residentSetBytes).toBeGreaterThan(rss / 2)
    expect(onTime?.residentSetBytes).toBeLessThan(rss * 2)
  } finally {
    child.kill('SIGKILL')
    await child.exited
  }
})
