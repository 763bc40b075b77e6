import { expect, it } from 'vitest'
import { readMetrics, sourcesOf } from './metrics-sources.ts'

it('tells how the process of the gateway is', async () => {
  using sources = sourcesOf()
  sources.bodies.take(300)
  while (sources.lag.seconds.count === 0) await Bun.sleep(1)
  const { values } = await readMetrics(sources)
  expect(values.get('isoplex_gateway_body_bytes')).toBe(300)
  expect(values.get('isoplex_gateway_body_limit_bytes')).toBe(1_000)
  expect(values.get('isoplex_gateway_event_loop_lag_seconds_count')).toBeGreaterThan(0)
  for (const quantile of ['0.5', '0.99', '1']) {
    expect(values.has(`isoplex_gateway_event_loop_lag_recent_seconds{quantile="${quantile}"}`)).toBe(true)
  }
  expect(values.get('process_resident_memory_bytes')).toBeGreaterThan(1_000_000)
  expect(values.get('process_cpu_seconds_total')).toBeGreaterThan(0)
  const startedAtSeconds = values.get('process_start_time_seconds') ?? 0
  expect(startedAtSeconds).toBeGreaterThan(1.6e9)
  expect(startedAtSeconds).toBeLessThanOrEqual(Date.now() / 1_000)
})

it('never counts back while the processor is used', async () => {
  using sources = sourcesOf()
  const first = (await readMetrics(sources)).values.get('process_cpu_seconds_total') ?? 0
  const second = (await readMetrics(sources)).values.get('process_cpu_seconds_total') ?? 0
  expect(second).toBeGreaterThanOrEqual(first)
})
