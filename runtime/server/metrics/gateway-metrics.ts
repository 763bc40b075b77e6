import { readdirSync } from 'node:fs'
import type { EventLoopLag } from '../../observe/event-loop-lag.ts'
import type { BodyBudget } from '../body.ts'
import { addCounter, addGauge, addHistogram, type Labels, type MetricsRegistry } from './metric.ts'

/** What the metrics of the gateway itself are read from. */
export interface GatewaySources {
  readonly lag: EventLoopLag
  readonly bodies: BodyBudget
}

const unlabelled: Labels = Object.freeze({})

/** Adds how the gateway's own process is, by the names that Prometheus has for it. */
export function addGatewayMetrics(registry: MetricsRegistry, { lag, bodies }: GatewaySources): void {
  addHistogram(registry, {
    name: 'isoplex_gateway_event_loop_lag_seconds',
    help: "How late the timers of the gateway's event loop fire.",
    read: () => [[unlabelled, lag.seconds]],
  })
  addGauge(registry, {
    name: 'isoplex_gateway_event_loop_lag_recent_seconds',
    help: 'The same of the last ten seconds, by quantile; 1 is the longest.',
    labels: ['quantile'],
    read: () => {
      const { p50Ms, p99Ms, maxMs } = lag.report()
      return [
        [{ quantile: '0.5' }, p50Ms / 1_000],
        [{ quantile: '0.99' }, p99Ms / 1_000],
        [{ quantile: '1' }, maxMs / 1_000],
      ]
    },
  })
  const single = (name: string, help: string, read: () => number): void =>
    addGauge(registry, { name, help, read: () => [[unlabelled, read()]] })
  single('isoplex_gateway_body_bytes', 'Bytes of request bodies in flight.', () => bodies.usedBytes)
  single('isoplex_gateway_body_limit_bytes', 'The most bytes of them.', () => bodies.limitBytes)
  single('process_resident_memory_bytes', 'Memory of the gateway.', () => process.memoryUsage.rss())
  single('process_open_fds', 'Open file descriptors of the gateway; 0 where they are not told.', openFiles)
  const startedAtSeconds = Date.now() / 1_000 - process.uptime()
  single('process_start_time_seconds', 'When the gateway started, since 1970.', () => startedAtSeconds)
  addCounter(registry, {
    name: 'process_cpu_seconds_total',
    help: 'Processor time of the gateway, user and system.',
    read: () => {
      const { user, system } = process.cpuUsage()
      return [[unlabelled, (user + system) / 1e6]]
    },
  })
}

/** Linux tells a process of its own files. */
function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}
