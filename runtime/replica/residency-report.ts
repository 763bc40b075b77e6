import type { RunnerState } from './runner-link.ts'

/** Why a runner has left its replica, and its model with it. */
export type DepartureReason =
  /** Nobody used it for `runnerIdleMs`. */
  | 'idle'
  /** It was a further copy of a model that one copy serves. */
  | 'shrink'
  /** It made room: the replica or the function held as many as it may. */
  | 'count'
  /** It made room: the replica held as many bytes of models as it may. */
  | 'bytes'
  /** It made room: its principal held as many bytes of models as it may. */
  | 'principal'
  /** Somebody asked for it. */
  | 'unload'
  /** The function has a newer version. */
  | 'stale'
  /** A fresh replica has taken the place of its replica. */
  | 'replaced'
  /** The server stops. */
  | 'stop'
  /** It did not come up. */
  | 'failed'
  /** It was ended by force, because it did not do what it was told. */
  | 'terminated'
  /** Its thread or its process died. */
  | 'crashed'

/** A runner as an operator sees it. Times are milliseconds since 1970. */
export interface ResidentReport {
  readonly runner: number
  readonly function: string
  /** The deployment of the function; its name where it is the function's own. */
  readonly deployment: string
  /** The model's key, `null` for a function without a model. */
  readonly modelKey: string | null
  readonly modelId: string | null
  readonly version: string | null
  /** The models that it holds together, where it is a graph's; empty for any other. */
  readonly parts: readonly ResidentPart[]
  readonly state: RunnerState
  readonly startedAtMs: number
  /** When it began to take requests; `null` before. */
  readonly loadedAtMs: number | null
  /** How long it took to come up, in milliseconds; `null` before it has. */
  readonly loadMs: number | null
  /** What the model counts for: the larger of its files and what the process grew by while it was loaded. */
  readonly bytes: number
  /** Requests that it has answered. */
  readonly requests: number
  readonly lastUsedAtMs: number
  readonly pinned: boolean
  /** For whom it was loaded. */
  readonly principal: string
  readonly providers: readonly string[]
}

/** A model that a graph's runner holds. */
export interface ResidentPart {
  /** The function that it is loaded for. */
  readonly function: string
  readonly modelKey: string
  readonly modelId: string
  readonly version: string
}

/** A runner that has left. */
export interface DepartureReport {
  readonly function: string
  readonly deployment: string
  readonly modelKey: string | null
  readonly replica: number
  readonly reason: DepartureReason
  readonly atMs: number
  readonly bytes: number
  readonly requests: number
  /** How long it was there, in milliseconds. */
  readonly residentMs: number
}

/** A replica as an operator sees it. */
export interface ReplicaReport {
  /** Its number in its group. */
  readonly replica: number
  /** The group that it belongs to; `null` for the default group. */
  readonly group: string | null
  readonly pid: number
  /** The node that it runs on. @default this machine */
  readonly node?: string
  /** `spare` waits to take another's place, `leaving` has one that takes its own, `isolated` tries what may end it. */
  readonly state: 'starting' | 'serving' | 'leaving' | 'spare' | 'isolated'
  readonly startedAtMs: number
  /** Loads since it started. */
  readonly loads: number
  /** Its memory as it last said; 0 before it has. */
  readonly residentSetBytes: number
  /** The longest wait of its event loop in the last report, in milliseconds. */
  readonly eventLoopLagMs: number
  readonly modelBytes: number
  readonly runners: readonly ResidentReport[]
}

/** What is loaded where, and what has left lately, the newest first. */
export interface ResidencyReport {
  readonly replicas: readonly ReplicaReport[]
  readonly departures: readonly DepartureReport[]
}
