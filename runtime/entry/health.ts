import type { ReplicaHealth } from '../replica/message.ts'

const lookMs = 250
const looksPerReport = 4

/** Tells each second how this process is; it costs some microseconds. It keeps a process alive that has a channel. */
export function reportHealth(report: (health: ReplicaHealth) => void): void {
  let looks = 0
  let dueMs = performance.now() + lookMs
  let eventLoopLagMs = 0
  setInterval(() => {
    const nowMs = performance.now()
    eventLoopLagMs = Math.max(eventLoopLagMs, nowMs - dueMs)
    dueMs = nowMs + lookMs
    looks += 1
    if (looks % looksPerReport > 0) return
    report({ residentSetBytes: process.memoryUsage.rss(), eventLoopLagMs })
    eventLoopLagMs = 0
  }, lookMs)
}
