import { describe, expect, it } from 'vitest'
import { readMetrics, replicaOf, residentOf, sourcesOf } from './metrics-sources.ts'

const digits = { id: 'digits', version: '1' }
const labels = 'function="read",model="digits",version="1"'

describe('the metrics of replicas', () => {
  it('tell what is loaded, all copies of a model together', async () => {
    const replicas = [
      replicaOf(0, residentOf(1, 'digits', { bytes: 5_000 }), residentOf(2, null, { bytes: 0 })),
      replicaOf(1, residentOf(3, 'digits', { bytes: 6_000 })),
    ]
    using sources = sourcesOf({ replicas })
    const { values, text } = await readMetrics(sources)
    expect(values.get(`isoplex_model_resident_bytes{${labels}}`)).toBe(11_000)
    expect(values.get(`isoplex_model_resident_count{${labels}}`)).toBe(2)
    expect(values.get('isoplex_model_resident_count{function="read"}')).toBe(1)
    expect(text).not.toContain('~0123456789abcdef')
  })

  it('tell how each replica is', async () => {
    const spare = { ...replicaOf(2), state: 'spare' as const }
    using sources = sourcesOf({ replicas: [replicaOf(0, residentOf(1, 'digits')), replicaOf(1), spare] })
    const { values } = await readMetrics(sources)
    const of = (name: string) => values.get(`isoplex_replica_${name}{replica="0",state="serving"}`)
    expect(of('resident_memory_bytes')).toBe(50_000_000)
    expect(of('model_bytes')).toBe(1_000)
    expect(of('load_count')).toBe(1)
    expect(of('event_loop_lag_seconds')).toBe(0.012_5)
    expect(values.get('isoplex_replica_count{state="serving"}')).toBe(2)
    expect(values.get('isoplex_replica_count{state="spare"}')).toBe(1)
  })

  it('tell the replicas of each group apart', async () => {
    const own = { ...replicaOf(0), group: 'fast', residentSetBytes: 7 }
    using sources = sourcesOf({ replicas: [replicaOf(0), own] })
    const { values } = await readMetrics(sources)
    const name = 'isoplex_replica_resident_memory_bytes'
    expect(values.get(`${name}{replica="0",state="serving"}`)).toBe(50_000_000)
    expect(values.get(`${name}{replica="0",state="serving",group="fast"}`)).toBe(7)
  })

  it('tell how many nodes are in which state, where there are nodes', async () => {
    const node = { node: 'a:1', state: 'up', places: 1, version: '1', trouble: null } as const
    using sources = sourcesOf({ nodes: [node, { ...node, node: 'b:1' }, { ...node, state: 'missing' }] })
    const { values } = await readMetrics(sources)
    const counts = ['up', 'leaving', 'missing'].map((state) =>
      values.get(`isoplex_node_count{state="${state}"}`),
    )
    expect(counts).toEqual([2, 0, 1])
    using local = sourcesOf()
    expect((await readMetrics(local)).text).not.toContain('isoplex_node_count')
  })

  it('tell what has come and gone, and why', async () => {
    using sources = sourcesOf()
    const { tallies } = sources
    const tally = tallies.model('read', digits)
    tally.loaded(40)
    tally.loadFailed('MODEL_BROKEN')
    tally.left('bytes')
    tally.left('bytes')
    tallies.restarts.add('memory')
    const { values } = await readMetrics(sources)
    expect(values.get('isoplex_model_load_duration_seconds_bucket{function="read",le="0.05"}')).toBe(1)
    expect(values.get(`isoplex_model_load_total{${labels}}`)).toBe(1)
    expect(values.get(`isoplex_model_load_failure_total{${labels},reason="MODEL_BROKEN"}`)).toBe(1)
    expect(values.get(`isoplex_model_departure_total{${labels},reason="bytes"}`)).toBe(2)
    expect(values.get('isoplex_replica_restart_total{reason="memory"}')).toBe(1)
  })
})
