import type { ClusterFacts, DeployedResources, DeployOrder } from '../../runtime/deploy/target.ts'
import type { NodeStatus, ResourceUsage } from './rest-client.ts'

/** By our names, what Ray calls them. */
const rayNames: Readonly<Record<string, string>> = { cpus: 'CPU', gpus: 'GPU', memoryBytes: 'memory' }
/** What every machine has for its own purposes. */
const internal = /^node:|^object_store_memory$|^accelerator_type:/

/** What a cluster has in all, and what is free as far as Ray tells. */
export function toResources(nodes: readonly NodeStatus[], usage: ResourceUsage): ClusterFacts['resources'] {
  const totals = new Map<string, number>()
  for (const { resources_total } of nodes)
    for (const [name, amount] of Object.entries(resources_total))
      if (!internal.test(name)) totals.set(name, (totals.get(name) ?? 0) + amount)
  const ours = new Map(Object.entries(rayNames).map(([name, ray]) => [ray, name]))
  const entries = [...totals].map(([ray, total]) => {
    const used = usage[ray]?.[0] ?? 0
    return [ours.get(ray) ?? ray, Object.freeze({ total, free: Math.max(0, total - used) })] as const
  })
  return Object.freeze(Object.fromEntries(entries))
}

/**
 * What an order asks for and a cluster has not: nothing where it has all, else a line for each, naming what is asked and
 * what is there. The machines are filled one after another, as full as they go.
 */
export function missingResources(
  { replicas, resources }: Pick<DeployOrder, 'replicas' | 'resources'>,
  nodes: readonly NodeStatus[],
): readonly string[] {
  const wanted = wantedOf(resources)
  const count = typeof replicas === 'number' ? replicas : replicas.min
  return wanted.flatMap(([name, amount]) => {
    const rayName = rayNames[name] ?? name
    const places = nodes.reduce(
      (sum, { resources_total }) => sum + Math.floor((resources_total[rayName] ?? 0) / amount),
      0,
    )
    if (places >= count) return []
    const total = nodes.reduce((sum, { resources_total }) => sum + (resources_total[rayName] ?? 0), 0)
    const most = Math.max(0, ...nodes.map(({ resources_total }) => resources_total[rayName] ?? 0))
    return [`${name}: ${count} x ${amount} asked, ${total} in the cluster, at most ${most} on one machine`]
  })
}

const wait = /Resources required for each replica: (\{.*?\}), total resources available: (\{.*?\})\./g

/**
 * What Ray says where it has waited long for a place, in its own words; `null` where it has not said so, and where there
 * is what it waits for: then it is only slow.
 */
export function waitsForResources(message: string): string | null {
  for (const [whole, required = '', available = ''] of message.matchAll(wait)) {
    const there = amountsOf(available)
    if (Object.entries(amountsOf(required)).some(([name, amount]) => amount > (there[name] ?? 0)))
      return whole
  }
  return null
}

function amountsOf(text: string): Readonly<Record<string, number>> {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

function wantedOf({
  cpus = 1,
  gpus = 0,
  memoryBytes = 0,
  custom = {},
}: DeployedResources): readonly [string, number][] {
  const all = { cpus, gpus, memoryBytes, ...custom }
  return Object.entries(all).filter(([, amount]) => amount > 0)
}
