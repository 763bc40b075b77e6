import { JobTallies } from '../../../runtime/job/job-tallies.ts'
import { EventLoopLag } from '../../../runtime/observe/event-loop-lag.ts'
import type { DeploymentReport } from '../../../runtime/replica/deployment-report.ts'
import type { NodeReport } from '../../../runtime/replica/node/fleet.ts'
import type { BacklogReport } from '../../../runtime/replica/residency-control.ts'
import type { ReplicaReport, ResidentReport } from '../../../runtime/replica/residency-report.ts'
import { Tallies } from '../../../runtime/replica/tallies.ts'
import { BodyBudget } from '../../../runtime/server/body.ts'
import { createMetricsRoute } from '../../../runtime/server/metrics/metrics-route.ts'
import type { MetricsSources } from '../../../runtime/server/metrics/registries.ts'
import { createMemoryDeployments } from '../memory-deployments.ts'

/** Something to read metrics from: what is given, and nothing else. */
export function sourcesOf(
  given: {
    readonly replicas?: readonly ReplicaReport[]
    readonly backlog?: readonly BacklogReport[]
    readonly deployments?: readonly DeploymentReport[]
    readonly nodes?: readonly NodeReport[]
  } = {},
): MetricsSources & Disposable {
  const { replicas = [], backlog = [], deployments = [], nodes } = given
  const lag = new EventLoopLag()
  return {
    tallies: new Tallies(),
    jobs: new JobTallies(),
    surveyJobs: async () => undefined,
    residency: { report: () => ({ replicas, departures: [] }), backlog: () => backlog },
    deployments: createMemoryDeployments(...deployments),
    ...(nodes ? { fleet: { report: () => nodes } } : {}),
    lag,
    bodies: new BodyBudget(1_000),
    [Symbol.dispose]: () => lag[Symbol.dispose](),
  }
}

/** A replica that serves these runners. */
export function replicaOf(replica: number, ...runners: readonly ResidentReport[]): ReplicaReport {
  return {
    replica,
    group: null,
    pid: 1_000 + replica,
    state: 'serving',
    startedAtMs: 0,
    loads: runners.length,
    residentSetBytes: 50_000_000,
    eventLoopLagMs: 12.5,
    modelBytes: runners.reduce((sum, { bytes }) => sum + bytes, 0),
    runners,
  }
}

/** A runner of version 1 of a model. */
export function residentOf(
  runner: number,
  modelId: string | null,
  facts: Partial<ResidentReport> = {},
): ResidentReport {
  return {
    runner,
    function: 'read',
    deployment: 'read',
    modelKey: modelId === null ? null : `embedded//${modelId}@1~0123456789abcdef0123456789abcdef`,
    modelId,
    version: modelId === null ? null : '1',
    parts: [],
    state: 'active',
    startedAtMs: 0,
    loadedAtMs: 10,
    loadMs: 10,
    bytes: 1_000,
    requests: 0,
    lastUsedAtMs: 20,
    pinned: false,
    principal: 'anonymous',
    providers: ['cpu'],
    ...facts,
  }
}

/** Reads the metrics of some sources: their values by name and labels as they are written. */
export async function readMetrics(
  sources: MetricsSources,
  accept?: string,
): Promise<{ readonly text: string; readonly values: ReadonlyMap<string, number>; readonly type: string }> {
  const route = createMetricsRoute({ sources, admit: async () => undefined })
  const headers = accept === undefined ? {} : { accept }
  const request = new Request('http://localhost:3000/metrics', { headers })
  const reply = await route.handlers.GET?.({ request, parameters: [] })
  const text = (await reply?.text()) ?? ''
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const values = new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  )
  return { text, values, type: reply?.headers.get('content-type') ?? '' }
}
