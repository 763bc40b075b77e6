import type { NodeFleet } from '../../replica/node/fleet.ts'
import type { ResidencyControl } from '../../replica/residency-control.ts'
import type { ReplicaReport, ResidentReport } from '../../replica/residency-report.ts'
import type { Tallies } from '../../replica/tallies.ts'
import { addCounter, addGauge, addHistogram, type Labels, type MetricsRegistry } from './metric.ts'
import { byReason, labelsOf, ofFunctions, ofModels } from './request-metrics.ts'

const modelLabels = ['function', 'model', 'version'] as const
const replicaLabels = ['replica', 'state', 'group'] as const

/** What the metrics of replicas are read from. */
export interface ReplicaSources {
  readonly tallies: Tallies
  readonly residency: Pick<ResidencyControl, 'report'>
  /** The nodes that replicas are on. @default they are on this machine */
  readonly fleet?: Pick<NodeFleet, 'report'>
}

/** Adds what is loaded where, what has come and gone, and how the replicas are. */
export function addReplicaMetrics(registry: MetricsRegistry, sources: ReplicaSources): void {
  addResidents(registry, sources)
  addLoads(registry, sources.tallies)
  addReplicas(registry, sources)
  if (sources.fleet) addNodes(registry, sources.fleet)
}

function addResidents(registry: MetricsRegistry, { tallies, residency }: ReplicaSources): void {
  const residents = (amountOf: (resident: ResidentReport) => number): [Labels, number][] =>
    residency
      .report()
      .replicas.flatMap(({ runners }) => runners)
      .map((resident) => {
        const { deployment: name, modelId, version } = resident
        const model = modelId === null ? null : { id: modelId, version: version ?? '' }
        return [labelsOf(tallies.model(name, model)), amountOf(resident)]
      })
  addGauge(registry, {
    name: 'isoplex_model_resident_bytes',
    help: 'What the loaded copies of a model count for, in bytes.',
    labels: modelLabels,
    read: () => residents(({ bytes }) => bytes),
  })
  addGauge(registry, {
    name: 'isoplex_model_resident_count',
    help: 'Loaded copies of a model, or of a function without one.',
    labels: modelLabels,
    read: () => residents(() => 1),
  })
}

function addLoads(registry: MetricsRegistry, tallies: Tallies): void {
  addHistogram(registry, {
    name: 'isoplex_model_load_duration_seconds',
    help: 'From the order to a runner that is up, of loads that came up.',
    labels: ['function'],
    read: () => ofFunctions(tallies, ({ loadSeconds }) => loadSeconds),
  })
  addCounter(registry, {
    name: 'isoplex_model_load_total',
    help: 'Loads that came up.',
    labels: modelLabels,
    read: () => ofModels(tallies, ({ loads }) => loads),
  })
  addCounter(registry, {
    name: 'isoplex_model_load_failure_total',
    help: 'Loads that failed, by the code of their error.',
    labels: [...modelLabels, 'reason'],
    read: () => byReason(tallies, ({ loadFailures }) => loadFailures),
  })
  addCounter(registry, {
    name: 'isoplex_model_departure_total',
    help: 'Runners that have left with their model, by why.',
    labels: [...modelLabels, 'reason'],
    read: () => byReason(tallies, ({ departures }) => departures),
  })
}

function addReplicas(registry: MetricsRegistry, { tallies, residency }: ReplicaSources): void {
  const each = (amountOf: (replica: ReplicaReport) => number): [Labels, number][] =>
    residency.report().replicas.map((report) => {
      const { replica, state, group } = report
      return [{ replica: String(replica), state, ...(group === null ? {} : { group }) }, amountOf(report)]
    })
  const gauges: readonly (readonly [string, string, (replica: ReplicaReport) => number])[] = [
    ['isoplex_replica_resident_memory_bytes', 'Memory of a replica.', (one) => one.residentSetBytes],
    ['isoplex_replica_model_bytes', "Bytes of a replica's models.", (one) => one.modelBytes],
    ['isoplex_replica_load_count', 'Loads since a replica has started.', (one) => one.loads],
    [
      'isoplex_replica_event_loop_lag_seconds',
      "The longest wait of a replica's event loop in its last report.",
      (one) => one.eventLoopLagMs / 1_000,
    ],
  ]
  for (const [name, help, amountOf] of gauges) {
    addGauge(registry, { name, help, labels: replicaLabels, read: () => each(amountOf) })
  }
  addGauge(registry, {
    name: 'isoplex_replica_count',
    help: 'Replicas in a state.',
    labels: ['state'],
    read: () => residency.report().replicas.map(({ state }) => [{ state }, 1] as const),
  })
  addCounter(registry, {
    name: 'isoplex_replica_restart_total',
    help: 'Replicas in whose place fresh ones came, by why.',
    labels: ['reason'],
    read: () => [...tallies.restarts.entries].map(([reason, count]) => [{ reason }, count] as const),
  })
}

function addNodes(registry: MetricsRegistry, fleet: Pick<NodeFleet, 'report'>): void {
  const states = ['up', 'leaving', 'missing'] as const
  addGauge(registry, {
    name: 'isoplex_node_count',
    help: 'Nodes in a state.',
    labels: ['state'],
    read: () => {
      const nodes = fleet.report()
      return states.map((state) => [{ state }, nodes.filter((node) => node.state === state).length] as const)
    },
  })
}
