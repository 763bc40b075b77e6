import type { DepartureReport, ReplicaReport, ResidentReport } from '../replica/residency-report.ts'
import type { PlacementReport } from '../server/residency/model-placement.ts'
import { formatBytes, formatTable } from './output.ts'

/** Departures beyond this many are not shown. */
const shownDepartures = 10
const nothing = '-'

/** What is loaded where, as people read it: replicas with their runners, what waits, and what has left lately. */
export function formatResidency(report: PlacementReport, nowMs: number): string {
  const { replicas, backlog, departures } = report
  const head = ['REPLICA', 'PID', 'MEMORY', 'FUNCTION', 'MODEL', 'STATE', 'SINCE', 'SIZE']
  const rows = replicas.flatMap((replica) => rowsOf(replica, nowMs))
  const parts = [formatTable([[...head, 'REQUESTS', 'USED', 'PINNED'], ...rows])]
  if (backlog.length > 0) {
    const waiting = backlog.map(({ modelKey, waiting: count, ...served }) => {
      return [String(count), deployedName(served), nameOf(modelKey)]
    })
    parts.push(formatTable([['WAITING', 'FUNCTION', 'MODEL'], ...waiting]))
  }
  if (departures.length > 0) {
    const left = departures.slice(0, shownDepartures).map((departure) => rowOf(departure, nowMs))
    parts.push(formatTable([['LEFT', 'WHY', 'FUNCTION', 'MODEL', 'REPLICA', 'AFTER', 'REQUESTS'], ...left]))
  }
  return parts.join('\n\n')
}

function rowsOf(report: ReplicaReport, nowMs: number): readonly (readonly string[])[] {
  const { replica, group, node, state, pid, residentSetBytes, startedAtMs, runners } = report
  const process = [
    [replica, ...(group === null ? [] : [`of ${group}`]), ...(state === 'serving' ? [] : [state])].join(' '),
    node === undefined ? String(pid) : `${pid} on ${node}`,
    residentSetBytes === 0 ? nothing : formatBytes(residentSetBytes),
  ]
  if (runners.length > 0) return runners.map((runner) => [...process, ...cellsOf(runner, nowMs)])
  const idle = [nothing, nothing, state, formatAge(nowMs - startedAtMs)]
  return [[...process, ...idle, nothing, nothing, nothing, nothing]]
}

function cellsOf(runner: ResidentReport, nowMs: number): readonly string[] {
  const { modelKey, version, loadedAtMs, startedAtMs } = runner
  return [
    deployedName(runner),
    nameOf(modelKey, version),
    runner.state,
    formatAge(nowMs - (loadedAtMs ?? startedAtMs)),
    modelKey === null ? nothing : formatBytes(runner.bytes),
    String(runner.requests),
    formatAge(nowMs - runner.lastUsedAtMs),
    runner.pinned ? 'yes' : nothing,
  ]
}

function rowOf(departure: DepartureReport, nowMs: number): readonly string[] {
  const { atMs, reason, modelKey, replica, residentMs, requests } = departure
  return [
    `${formatAge(nowMs - atMs)} ago`,
    reason,
    deployedName(departure),
    nameOf(modelKey),
    String(replica),
    formatAge(residentMs),
    String(requests),
  ]
}

/** A function by its own name, or by that of its deployment with its own behind. */
function deployedName(served: { readonly function: string; readonly deployment: string }): string {
  const { function: name, deployment } = served
  return deployment === name ? name : `${deployment} (${name})`
}

/** A span of time as people read it: its largest unit only. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}

/** Models as tokens name them, each with the tenant before it where its key has one; those of a graph with a plus between. */
function nameOf(modelKey: string | null, version: string | null = null): string {
  if (modelKey === null) return nothing
  const keys = modelKey.split('+')
  return keys.map((key) => nameOfKey(key, keys.length === 1 ? version : null)).join('+')
}

function nameOfKey(modelKey: string, version: string | null): string {
  const [, scope = '', name = ''] = modelKey.split('/')
  const [id = '', known = ''] = (name.split('~', 1)[0] ?? '').split('@')
  const shown = version ?? decodeURIComponent(known)
  const model = `${decodeURIComponent(id)}${shown === '' ? '' : `@${shown}`}`
  return scope === '' ? model : `${decodeURIComponent(scope)}/${model}`
}
