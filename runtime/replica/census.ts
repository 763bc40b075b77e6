import type { ModelPart } from '../model/composite.ts'
import type { ReplicaProcess } from './replica-process.ts'
import type {
  DepartureReport,
  ReplicaReport,
  ResidencyReport,
  ResidentPart,
  ResidentReport,
} from './residency-report.ts'
import type { RunnerLink } from './runner-link.ts'

/** Whose replicas are reported. */
export interface CensusPlace {
  readonly processes: Iterable<ReplicaProcess>
  /** The group that they are; `null` for the default group. */
  readonly group: string | null
}

/** Reports what is loaded where, and what has left lately. */
export function takeCensus(
  { processes, group }: CensusPlace,
  departures: readonly DepartureReport[],
  isPinned: (link: RunnerLink) => boolean,
): ResidencyReport {
  const replicas = [...processes].map((replica) => ({ ...reportReplica(replica, isPinned), group }))
  return { replicas, departures }
}

function reportReplica(
  replica: ReplicaProcess,
  isPinned: (link: RunnerLink) => boolean,
): Omit<ReplicaReport, 'group'> {
  const runners = [...replica.links].map((link) => reportRunner(link, isPinned(link)))
  return {
    replica: replica.number,
    pid: replica.pid,
    ...(replica.node === null ? {} : { node: replica.node }),
    state: replica.state,
    startedAtMs: toEpochMs(replica.startedMs),
    loads: replica.loads,
    ...replica.health,
    modelBytes: runners.reduce((sum, { bytes }) => sum + bytes, 0),
    runners,
  }
}

function reportRunner(link: RunnerLink, pinned: boolean): ResidentReport {
  const { deployment, model, state, loadMs, bytes, requests, principal, providers } = link
  return {
    runner: link.id,
    function: deployment.functionName,
    deployment: deployment.name,
    modelKey: model?.key ?? null,
    modelId: model?.info.id ?? null,
    version: model?.info.version ?? null,
    parts: model?.parts?.map(reportPart) ?? [],
    state,
    startedAtMs: toEpochMs(link.startedMs),
    loadedAtMs: link.activeMs === null ? null : toEpochMs(link.activeMs),
    loadMs: loadMs === null ? null : Math.round(loadMs),
    bytes,
    requests,
    lastUsedAtMs: toEpochMs(link.lastUsedMs),
    pinned,
    principal,
    providers,
  }
}

function reportPart({ function: name, model: { key, info } }: ModelPart): ResidentPart {
  return { function: name, modelKey: key, modelId: info.id, version: info.version }
}

/** From the clock of this process, which only rises, to that of the wall. */
function toEpochMs(elapsedMs: number): number {
  return Math.round(performance.timeOrigin + elapsedMs)
}
