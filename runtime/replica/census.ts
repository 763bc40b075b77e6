import type { ReplicaProcess } from './replica-process.ts'
import type { DepartureReport, ReplicaReport, ResidencyReport, ResidentReport } from './residency-report.ts'
import type { RunnerLink } from './runner-link.ts'

/** What of a scheduler is reported with its runners. */
export interface CensusFacts {
  readonly isPinned: (link: RunnerLink) => boolean
  /** The group of its replicas; `null` for the default group. */
  readonly group: string | null
}

/** Reports what is loaded where, and what has left lately. */
export function takeCensus(
  replicas: Iterable<ReplicaProcess>,
  departures: readonly DepartureReport[],
  facts: CensusFacts,
): ResidencyReport {
  return { replicas: [...replicas].map((replica) => reportReplica(replica, facts)), departures }
}

function reportReplica(replica: ReplicaProcess, { isPinned, group }: CensusFacts): ReplicaReport {
  const runners = [...replica.links].map((link) => reportRunner(link, isPinned(link)))
  return {
    replica: replica.number,
    group,
    pid: replica.pid,
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

/** From the clock of this process, which only rises, to that of the wall. */
function toEpochMs(elapsedMs: number): number {
  return Math.round(performance.timeOrigin + elapsedMs)
}
