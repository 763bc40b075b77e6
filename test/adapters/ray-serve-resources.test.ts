import { describe, expect, it } from 'vitest'
import { missingResources, toResources, waitsForResources } from '../../adapters/ray-serve/resources.ts'

const nodes = [
  {
    node_id: 'a',
    state: 'ALIVE',
    resources_total: { CPU: 4, memory: 8e9, 'node:10.0.0.1': 1, object_store_memory: 1e9 },
  },
  { node_id: 'b', state: 'ALIVE', resources_total: { CPU: 2, GPU: 1, memory: 4e9, fast: 1 } },
]

describe('the resources of a cluster', () => {
  it('are told by our names, with what is free', () => {
    expect(toResources(nodes, { CPU: [1.5, 6] })).toEqual({
      cpus: { total: 6, free: 4.5 },
      gpus: { total: 1, free: 1 },
      memoryBytes: { total: 12e9, free: 12e9 },
      fast: { total: 1, free: 1 },
    })
  })

  it.each([
    ['all that is asked', 2, { cpus: 2, gpus: 0.5 }, 0],
    ['shares of one GPU', 4, { gpus: 0.25 }, 0],
    ['a core by default', 7, {}, 1],
    ['more cores than one machine has', 1, { cpus: 5 }, 1],
    ['memory', 3, { cpus: 0, memoryBytes: 5e9 }, 1],
    ['GPUs and a resource of its own', { min: 2, max: 9 }, { gpus: 1, custom: { fast: 1, absent: 1 } }, 3],
  ] as const)('know what is missing for %s', (_, replicas, resources, count) => {
    expect(missingResources({ replicas, resources }, nodes)).toHaveLength(count)
  })

  it('name what is asked and what is there', () => {
    expect(missingResources({ replicas: 2, resources: { gpus: 1 } }, nodes)).toEqual([
      'gpus: 2 x 1 asked, 1 in the cluster, at most 1 on one machine',
    ])
  })

  it('are known to be short from what Ray says', () => {
    const said = (required: string, available: string): string =>
      `Deployment "a" has 1 replicas that have taken more than 30s to be scheduled. Resources required for each replica: ${required}, total resources available: ${available}. Use "ray status".`
    expect(waitsForResources(said('{"CPU": 1}', '{}'))).toContain('{"CPU": 1}')
    expect(waitsForResources(said('{"CPU": 2, "GPU": 1}', '{"CPU": 8.0, "GPU": 0.5}'))).not.toBeNull()
    expect(waitsForResources(`${said('{}', '{}')}\n${said('{"CPU": 1}', '{}')}`)).toContain('{"CPU": 1}')
    expect(waitsForResources('A replica failed to start.')).toBeNull()
  })

  it('are not short where Ray is only slow', () => {
    const slow =
      'Resources required for each replica: {"CPU": 1}, total resources available: {"CPU": 14.0}. Use "ray status".'
    expect(waitsForResources(slow)).toBeNull()
    expect(waitsForResources(slow.replaceAll(/\{.*?\}/g, '{}'))).toBeNull()
  })
})
