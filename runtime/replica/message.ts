import type { ModelInfo } from '../define/context.ts'
import type { HeldPart } from '../runner/graph-parts.ts'
import type { RunnerAddress } from './runner-gate.ts'

/** Said to a process of a replica at its start where its runners are likely to load models. */
export const modelsExpected = 'models'

/** All that a runner needs to come up. It is handed over when its thread starts. */
export interface RunnerOrder {
  /** The runner's number, unique in the life of its gateway. */
  readonly runner: number
  /** Where the gateway is, and the word that proves to it who connects. */
  readonly gateway: RunnerAddress
  readonly nonce: string
  /** The function's name and the absolute path of its bundle. */
  readonly name: string
  readonly bundlePath: string
  /** The name of its deployment, and what that hands to `setup`. */
  readonly deployment: string
  readonly options: unknown
  /** Functions that are never run beside it: their own deployments have options or replicas of their own. */
  readonly apart: readonly string[]
  /** Batches worked on side by side. */
  readonly concurrency: number
  /** The model to load; `null` for a function without one. */
  readonly model: ModelInfo | null
  /** The models of a graph's nodes, which it holds together; none for other functions. */
  readonly parts: readonly HeldPart[]
  /** What sessions use where the function does not say. */
  readonly session: {
    readonly provider: string
    readonly fallback: string | null
    readonly intraOpThreads: number
  }
  /** Where inputs may be fetched from: the entries of the configuration. */
  readonly inputHosts: readonly string[]
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}

/** What a runner says of itself once it has come up. */
export interface RunnerReport {
  /** The providers that its sessions compute on. */
  readonly providers: readonly string[]
  /** Why sessions do not compute on the provider that was wished for, a sentence each. */
  readonly fallbacks: readonly string[]
  /** What the resident memory of its process grew by while it was loaded, in bytes; negative where it shrank. */
  readonly grownBytes: number
}

/** What the gateway tells a replica over IPC. */
export type ReplicaCommand =
  | { readonly kind: 'start'; readonly order: RunnerOrder }
  | { readonly kind: 'terminate'; readonly runner: number }

/** What a replica says of itself, once a second. */
export interface ReplicaHealth {
  /** The memory of its process; 0 before its first report. */
  readonly residentSetBytes: number
  /** How late a timer of its main thread fired, in milliseconds: the worst since the report before. */
  readonly eventLoopLagMs: number
}

/** Why a runner could not be started: the system had no thread for it, or its files could not be brought to its machine. */
export interface RunnerRefusal {
  readonly lack: 'thread' | 'files'
  readonly why: string
}

/** What a replica tells the gateway over IPC. */
export type ReplicaReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'health'; readonly health: ReplicaHealth }
  /**
   * A runner's thread has ended, whatever the reason. It is the last word on that runner. `refusal` says why there
   * was never one, `null` where there was.
   */
  | { readonly kind: 'ended'; readonly runner: number; readonly refusal: RunnerRefusal | null }
