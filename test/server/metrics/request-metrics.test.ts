import { describe, expect, it } from 'vitest'
import { readMetrics, sourcesOf } from './metrics-sources.ts'

const digits = { id: 'digits', version: '3' }
const labels = 'function="read",model="digits",version="3"'

describe('the metrics of requests', () => {
  it('tell what became of requests', async () => {
    using sources = sourcesOf()
    const tally = sources.tallies.model('read', digits)
    for (const _ of [1, 2, 3]) tally.succeeded(20)
    tally.failed('DEADLINE_EXCEEDED')
    tally.ranAgain('crashed')
    sources.tallies.rejections.add('QUEUE_FULL')
    const { values } = await readMetrics(sources)
    expect(values.get(`isoplex_inference_request_success_total{${labels}}`)).toBe(3)
    expect(values.get(`isoplex_inference_request_failure_total{${labels},reason="DEADLINE_EXCEEDED"}`)).toBe(
      1,
    )
    expect(values.get(`isoplex_inference_request_rerun_total{${labels},reason="crashed"}`)).toBe(1)
    expect(values.get('isoplex_request_rejection_total{reason="QUEUE_FULL"}')).toBe(1)
  })

  it('tell who calls whom, and what came of it', async () => {
    using sources = sourcesOf()
    const tally = sources.tallies.call('read', 'write')
    for (const _ of [1, 2]) tally.successes += 1
    tally.failures.add('MODEL_FORBIDDEN')
    for (let count = 0; count < 100; count += 1) sources.tallies.call('read', `other-${count}`).successes += 1
    const { values } = await readMetrics(sources)
    const pair = 'caller="read",callee="write"'
    expect(values.get(`isoplex_call_success_total{${pair}}`)).toBe(2)
    expect(values.get(`isoplex_call_failure_total{${pair},reason="MODEL_FORBIDDEN"}`)).toBe(1)
    expect(values.get('isoplex_call_success_total{caller="other",callee="other"}')).toBe(1)
  })

  it('tell how much was done for each model', async () => {
    using sources = sourcesOf()
    const tally = sources.tallies.model('read', digits)
    tally.sent(3)
    for (const waitMs of [250, 500, 750]) tally.waited(waitMs)
    tally.computed(125)
    const { values } = await readMetrics(sources)
    const of = (name: string) => values.get(`isoplex_inference_${name}_total{${labels}}`)
    expect([of('count'), of('exec_count')]).toEqual([3, 1])
    expect([of('queue_seconds'), of('compute_infer_seconds')]).toEqual([1.5, 0.125])
  })

  it('tell how long requests took, as histograms in seconds', async () => {
    using sources = sourcesOf()
    const tally = sources.tallies.model('read', digits)
    for (const durationMs of [0.2, 20]) tally.succeeded(durationMs)
    sources.tallies.model('read', { ...digits, version: '4' }).succeeded(60_000)
    const { values } = await readMetrics(sources)
    const name = 'isoplex_inference_request_duration_seconds'
    expect(values.get(`${name}_bucket{function="read",le="0.0001"}`)).toBe(0)
    expect(values.get(`${name}_bucket{function="read",le="0.00025"}`)).toBe(1)
    expect(values.get(`${name}_bucket{function="read",le="0.025"}`)).toBe(2)
    expect(values.get(`${name}_bucket{function="read",le="30"}`)).toBe(2)
    expect(values.get(`${name}_bucket{function="read",le="+Inf"}`)).toBe(3)
    expect(values.get(`${name}_count{function="read"}`)).toBe(3)
    expect(values.get(`${name}_sum{function="read"}`)).toBeCloseTo(60.020_2)
    const others = [...values.keys()].filter((key) => key.startsWith('isoplex_inference_queue_duration'))
    expect(others).toEqual([])
  })

  it('tell how full batches are', async () => {
    using sources = sourcesOf()
    const tally = sources.tallies.model('read', digits)
    for (const size of [1, 31]) tally.sent(size)
    const { values } = await readMetrics(sources)
    expect(values.get(`isoplex_inference_batch_size_bucket{function="read",le="1"}`)).toBe(1)
    expect(values.get(`isoplex_inference_batch_size_sum{function="read"}`)).toBe(32)
    expect(values.get(`isoplex_inference_batch_size_count{function="read"}`)).toBe(2)
  })

  it('tell how many wait, those of a function without a model too', async () => {
    const waiting = {
      modelKey: null,
      modelId: null,
      version: null,
      function: 'hi',
      deployment: 'hello',
      waiting: 2,
    }
    const model = {
      function: 'read',
      deployment: 'read',
      modelKey: 'a key',
      modelId: 'digits',
      version: '3',
      waiting: 5,
    }
    using sources = sourcesOf({ backlog: [waiting, model] })
    const { values, text } = await readMetrics(sources)
    expect(values.get(`isoplex_inference_pending_request_count{${labels}}`)).toBe(5)
    expect(values.get('isoplex_inference_pending_request_count{function="hello"}')).toBe(2)
    expect(text).not.toContain('a key')
  })

  it('name 100 models and 100 principals, and all others together', async () => {
    using sources = sourcesOf()
    for (let number = 0; number < 1_000; number += 1) {
      sources.tallies.model('read', { id: `model-${number}`, version: '1' }).succeeded(1)
      const principal = sources.tallies.principal(`tenant:${number}`)
      principal.requests += 1
      principal.rejections.add('SHARE_EXCEEDED')
    }
    const { values } = await readMetrics(sources)
    const named = (name: string) => [...values].filter(([key]) => key.startsWith(`${name}{`))
    const sum = (name: string) => named(name).reduce((total, [, value]) => total + value, 0)
    for (const name of [
      'isoplex_inference_request_success_total',
      'isoplex_principal_request_total',
      'isoplex_principal_rejection_total',
    ]) {
      expect(named(name)).toHaveLength(101)
      expect(sum(name)).toBe(1_000)
    }
    expect(values.get('isoplex_inference_request_success_total{function="read",model="other"}')).toBe(900)
    expect(values.get('isoplex_principal_request_total{principal="other"}')).toBe(900)
  })

  it('keep to one line whatever a name is', async () => {
    using sources = sourcesOf()
    const hostile = 'tenant:a"} 1\nisoplex_up{x="\\'
    sources.tallies.principal(hostile).requests = 7
    const { text } = await readMetrics(sources)
    expect(text).toContain(
      'isoplex_principal_request_total{principal="tenant:a\\"} 1\\nisoplex_up{x=\\"\\\\"} 7\n',
    )
    expect(text).not.toMatch(/^isoplex_up/m)
  })
})
