import { setTimeout as delay } from 'node:timers/promises'
import { isIsoplexError } from '../../error/error.ts'
import type { ActionHost } from '../message.ts'
import type { JobStore, Lease } from '../store.ts'

/** Finds the models of one job, by the right of whoever submitted it. */
export type JobModels = Pick<ActionHost, 'describeModel' | 'prepareModel'>

/** What the host of one job is made with. */
export interface ActionHostOptions {
  readonly store: JobStore
  readonly lease: Lease
  readonly models: JobModels
  /** Fires when the job is over here, with the reason: nothing is tried again after it. */
  readonly signal: AbortSignal
  /** The wait before the first further try, in milliseconds; it doubles each time. @default 200 */
  readonly firstDelayMs?: number
  /** The longest wait before a further try, in milliseconds. @default 5000 */
  readonly maxDelayMs?: number
}

/**
 * Makes what a job's process asks for all that is to last: the store, with the job's lease, and its models. Where the
 * store is not to be had or the disk is full, that passes: it is tried again until it succeeds or the signal fires.
 * `LEASE_LOST` goes through, and so does all else.
 */
export function createActionHost(options: ActionHostOptions): ActionHost {
  const { store, lease, models } = options
  const lasting = <Value>(ask: () => Promise<Value>): Promise<Value> => tryAgain(ask, options)
  return Object.freeze({
    describeModel: (modelId) => models.describeModel(modelId),
    prepareModel: (modelId) => models.prepareModel(modelId),
    beginStep: (name) => lasting(() => store.beginStep(lease, name)),
    recordStep: (record, fields, next) => lasting(() => store.recordStep(lease, record, fields, next)),
    saveCheckpoint: (value) => lasting(() => store.saveCheckpoint(lease, value)),
    beginRollback: (end) => lasting(() => store.beginRollback(lease, end)),
    recordRollback: (step, error) => lasting(() => store.recordRollback(lease, step, error)),
    keepFile: (file) => lasting(() => store.keepFile(lease, file)),
    listFiles: () => lasting(async () => (await store.get(lease.jobId, null)).files),
    fetchFile: (name, path) => lasting(() => store.fetch(lease, { kind: 'file', name }, path)),
    report: (report) => lasting(() => store.report(lease, report)),
    finish: (end) => lasting(() => store.finish(lease, end)),
  } satisfies ActionHost)
}

async function tryAgain<Value>(
  ask: () => Promise<Value>,
  { signal, firstDelayMs = 200, maxDelayMs = 5_000 }: ActionHostOptions,
): Promise<Value> {
  for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, maxDelayMs)) {
    signal.throwIfAborted()
    try {
      return await ask()
    } catch (error) {
      if (!isPassing(error)) throw error
      await delay(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }
}

function isPassing(error: unknown): boolean {
  return isIsoplexError(error) && (error.code === 'JOB_STORE_UNAVAILABLE' || error.code === 'STORAGE_FULL')
}
