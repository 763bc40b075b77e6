import type { Distribution } from '../../observe/distribution.ts'
import type { NamedCounts } from '../../observe/named-counts.ts'
import type { ResidencyControl } from '../../replica/residency-control.ts'
import type { ModelTally, PrincipalTally, Tallies } from '../../replica/tallies.ts'
import { addCounter, addGauge, addHistogram, type Labels, type MetricsRegistry } from './metric.ts'

/** What stands for all the models, or all the principals, that have no tally of their own. */
const others = 'other'
const modelLabels = ['function', 'model', 'version'] as const

/** What the metrics of requests are read from. */
export interface RequestSources {
  readonly tallies: Tallies
  readonly residency: Pick<ResidencyControl, 'backlog'>
}

/** Adds what becomes of requests, model by model and principal by principal. */
export function addRequestMetrics(registry: MetricsRegistry, { tallies, residency }: RequestSources): void {
  addOutcomes(registry, tallies)
  addDurations(registry, tallies)
  addGauge(registry, {
    name: 'isoplex_inference_pending_request_count',
    help: 'Requests that wait for a runner.',
    labels: modelLabels,
    read: () =>
      residency.backlog().map(({ function: name, modelId, version, waiting }) => {
        const model = modelId === null ? null : { id: modelId, version: version ?? '' }
        return [labelsOf(tallies.model(name, model)), waiting] as const
      }),
  })
  addPrincipals(registry, tallies)
}

/** The labels of a tally of a model. */
export function labelsOf({ functionName, model }: Pick<ModelTally, 'functionName' | 'model'>): Labels {
  if (model === null) return { function: functionName }
  if (model === 'other') return { function: functionName, model: others }
  return { function: functionName, model: model.id, version: model.version }
}

/** Counts of all models by a reason. */
export function* byReason(
  tallies: Tallies,
  choose: (tally: ModelTally) => NamedCounts<string>,
): Iterable<readonly [Labels, number]> {
  for (const tally of tallies.models) {
    for (const [reason, count] of choose(tally).entries) yield [{ ...labelsOf(tally), reason }, count]
  }
}

/** A distribution of each model. */
export function* byModel(
  tallies: Tallies,
  choose: (tally: ModelTally) => Distribution,
): Iterable<readonly [Labels, Distribution]> {
  for (const tally of tallies.models) yield [labelsOf(tally), choose(tally)]
}

function addOutcomes(registry: MetricsRegistry, tallies: Tallies): void {
  addCounter(registry, {
    name: 'isoplex_inference_request_success_total',
    help: 'Requests that were answered, whatever status the function gave its answer.',
    labels: modelLabels,
    read: () => tallies.models.map((tally) => [labelsOf(tally), tally.successes] as const),
  })
  addCounter(registry, {
    name: 'isoplex_inference_request_failure_total',
    help: 'Requests that failed after they had been taken, by the code of their error.',
    labels: [...modelLabels, 'reason'],
    read: () => byReason(tallies, ({ failures }) => failures),
  })
  addCounter(registry, {
    name: 'isoplex_inference_request_rerun_total',
    help: 'Requests that were taken out of the hands of a runner and run again, by why.',
    labels: [...modelLabels, 'reason'],
    read: () => byReason(tallies, ({ reruns }) => reruns),
  })
  addCounter(registry, {
    name: 'isoplex_request_rejection_total',
    help: 'Requests that were refused before they waited for a runner, by the code of their error.',
    labels: ['reason'],
    read: () => [...tallies.rejections.entries].map(([reason, count]) => [{ reason }, count] as const),
  })
}

function addDurations(registry: MetricsRegistry, tallies: Tallies): void {
  const labels = modelLabels
  addHistogram(registry, {
    name: 'isoplex_inference_request_duration_seconds',
    help: 'From the arrival of a request to the first byte of its answer.',
    labels,
    read: () => byModel(tallies, ({ requestSeconds }) => requestSeconds),
  })
  addHistogram(registry, {
    name: 'isoplex_inference_queue_duration_seconds',
    help: 'From the arrival of a request to the hands of a runner, each time that it is sent to one.',
    labels,
    read: () => byModel(tallies, ({ queueSeconds }) => queueSeconds),
  })
  addHistogram(registry, {
    name: 'isoplex_inference_compute_infer_duration_seconds',
    help: "The function's own work on a batch.",
    labels,
    read: () => byModel(tallies, ({ computeSeconds }) => computeSeconds),
  })
  addHistogram(registry, {
    name: 'isoplex_inference_batch_size',
    help: 'Requests of a batch: the sum is how many were inferred, the count how often.',
    labels,
    read: () => byModel(tallies, ({ batchSizes }) => batchSizes),
  })
}

function addPrincipals(registry: MetricsRegistry, tallies: Tallies): void {
  const labelOf = ({ principal }: PrincipalTally): Labels => ({ principal: principal ?? others })
  addCounter(registry, {
    name: 'isoplex_principal_request_total',
    help: 'Requests of a principal that were handed to the scheduler.',
    labels: ['principal'],
    read: () => tallies.principals.map((tally) => [labelOf(tally), tally.requests] as const),
  })
  addCounter(registry, {
    name: 'isoplex_principal_rejection_total',
    help: 'Requests of a principal that were not taken, by the code of their error.',
    labels: ['principal', 'reason'],
    read: () =>
      tallies.principals.flatMap((tally) =>
        [...tally.rejections.entries].map(
          ([reason, count]) => [{ ...labelOf(tally), reason }, count] as const,
        ),
      ),
  })
}
