import type { Distribution } from '../../observe/distribution.ts'
import type { NamedCounts } from '../../observe/named-counts.ts'
import type { ResidencyControl } from '../../replica/residency-control.ts'
import type { CallTally, FunctionTally, ModelTally, PrincipalTally, Tallies } from '../../replica/tallies.ts'
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
  addWork(registry, tallies)
  addDurations(registry, tallies)
  addGauge(registry, {
    name: 'isoplex_inference_pending_request_count',
    help: 'Requests that wait for a runner.',
    labels: modelLabels,
    read: () =>
      residency.backlog().map(({ deployment: name, modelId, version, waiting }) => {
        const model = modelId === null ? null : { id: modelId, version: version ?? '' }
        return [labelsOf(tallies.model(name, model)), waiting] as const
      }),
  })
  addPrincipals(registry, tallies)
  addCalls(registry, tallies)
}

/** The labels of a tally of a model. */
export function labelsOf({ function: { name }, model }: ModelTally): Labels {
  if (model === null) return { function: name }
  if (model === 'other') return { function: name, model: others }
  return { function: name, model: model.id, version: model.version }
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

/** A number of each model. */
export function ofModels(
  tallies: Tallies,
  choose: (tally: ModelTally) => number,
): readonly (readonly [Labels, number])[] {
  return tallies.models.map((tally) => [labelsOf(tally), choose(tally)])
}

/** A distribution of each function. */
export function ofFunctions(
  tallies: Tallies,
  choose: (tally: FunctionTally) => Distribution,
): readonly (readonly [Labels, Distribution])[] {
  return tallies.functions.map((tally) => [{ function: tally.name }, choose(tally)])
}

function addOutcomes(registry: MetricsRegistry, tallies: Tallies): void {
  addCounter(registry, {
    name: 'isoplex_inference_request_success_total',
    help: 'Requests that were answered, whatever status the function gave its answer.',
    labels: modelLabels,
    read: () => ofModels(tallies, ({ successes }) => successes),
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

function addWork(registry: MetricsRegistry, tallies: Tallies): void {
  const counters: readonly (readonly [string, string, (tally: ModelTally) => number])[] = [
    ['count', 'Requests that were sent to runners.', ({ inferences }) => inferences],
    ['exec_count', 'Batches that were sent to runners.', ({ executions }) => executions],
    ['queue_seconds', 'The waits of requests for a runner, summed up.', ({ queueSeconds }) => queueSeconds],
    [
      'compute_infer_seconds',
      "The function's own work on batches, summed up.",
      ({ computeSeconds }) => computeSeconds,
    ],
  ]
  for (const [name, help, choose] of counters) {
    const metric = { name: `isoplex_inference_${name}_total`, help, labels: modelLabels }
    addCounter(registry, { ...metric, read: () => ofModels(tallies, choose) })
  }
}

function addDurations(registry: MetricsRegistry, tallies: Tallies): void {
  const histograms: readonly (readonly [string, string, (tally: FunctionTally) => Distribution])[] = [
    [
      'request_duration_seconds',
      'From the arrival of a request to the first byte of its answer.',
      ({ requestSeconds }) => requestSeconds,
    ],
    [
      'queue_duration_seconds',
      'From the arrival of a request to the hands of a runner, each time that it is sent to one.',
      ({ queueSeconds }) => queueSeconds,
    ],
    [
      'compute_infer_duration_seconds',
      "The function's own work on a batch.",
      ({ computeSeconds }) => computeSeconds,
    ],
    ['batch_size', 'Requests of a batch.', ({ batchSizes }) => batchSizes],
  ]
  for (const [name, help, choose] of histograms) {
    const metric = { name: `isoplex_inference_${name}`, help, labels: ['function'] }
    addHistogram(registry, { ...metric, read: () => ofFunctions(tallies, choose) })
  }
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

function addCalls(registry: MetricsRegistry, tallies: Tallies): void {
  const labelsOfPair = ({ pair }: CallTally): Labels => ({ ...(pair ?? { caller: others, callee: others }) })
  addCounter(registry, {
    name: 'isoplex_call_success_total',
    help: 'Calls of functions by others that were answered; each is among the requests of the callee as well.',
    labels: ['caller', 'callee'],
    read: () => tallies.calls.map((tally) => [labelsOfPair(tally), tally.successes] as const),
  })
  addCounter(registry, {
    name: 'isoplex_call_failure_total',
    help: 'Calls of functions by others that failed, by the code of their error.',
    labels: ['caller', 'callee', 'reason'],
    read: () =>
      tallies.calls.flatMap((tally) =>
        [...tally.failures.entries].map(
          ([reason, count]) => [{ ...labelsOfPair(tally), reason }, count] as const,
        ),
      ),
  })
}
