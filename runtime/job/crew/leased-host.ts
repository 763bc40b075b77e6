import { isIsoplexError } from '../../error/error.ts'
import type { ResolvedModel } from '../../model/resolve.ts'
import type { ActionHost, ActionQuestion } from '../message.ts'
import type { JobStore, Lease } from '../store.ts'
import { withPatience } from './patience.ts'

/** What a host answers with. */
export interface LeasedHostOptions {
  readonly store: JobStore
  readonly lease: Lease
  readonly describe: (modelId: string) => Promise<Readonly<Record<string, unknown>>>
  readonly prepare: (modelId: string) => Promise<ResolvedModel>
  /** Fires when nothing is to be written any more: what waits for the store is given up. */
  readonly signal: AbortSignal
}

/** What the holder of a lease hears of its host. */
export interface LeasedHostEvents {
  /** It was written; `parameter` is the first of the question. */
  written(question: ActionQuestion, parameter: unknown): void
  /** Somebody else goes on with the job, or it has ended. */
  lost(): void
}

/** A host, with what its owner asks of it. */
export interface LeasedHost extends ActionHost {
  /** Writes the input into a file of this machine. */
  fetchInput(path: string): Promise<void>
  /** Resolves when nothing is being written. */
  settled(): Promise<void>
}

/** Makes what the process of an action asks, out of the store and a lease: patient while the store is away. */
export function createLeasedHost(options: LeasedHostOptions, events: LeasedHostEvents): LeasedHost {
  const { store, lease, describe, prepare, signal } = options
  const ask = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await withPatience(work, signal)
    } catch (error) {
      if (isIsoplexError(error) && error.code === 'LEASE_LOST') events.lost()
      throw error
    }
  }
  const writes = new Set<Promise<unknown>>()
  const write = async <Result>(
    question: ActionQuestion,
    parameter: unknown,
    work: () => Promise<Result>,
  ): Promise<Result> => {
    const writing = ask(work)
    writes.add(writing)
    try {
      const result = await writing
      events.written(question, parameter)
      return result
    } finally {
      writes.delete(writing)
    }
  }
  return Object.freeze<LeasedHost>({
    describeModel: describe,
    prepareModel: async (modelId) => (await prepare(modelId)).info,
    beginStep: (name) => write('beginStep', name, () => store.beginStep(lease, name)),
    recordStep: (record, fields, next) =>
      write('recordStep', record, () => store.recordStep(lease, record, fields, next)),
    saveCheckpoint: (value) => write('saveCheckpoint', value, () => store.saveCheckpoint(lease, value)),
    beginRollback: (end) => write('beginRollback', end, () => store.beginRollback(lease, end)),
    recordRollback: (step, error) =>
      write('recordRollback', error, () => store.recordRollback(lease, step, error)),
    keepFile: (file) => write('keepFile', file, () => store.keepFile(lease, file)),
    report: (report) => write('report', report, () => store.report(lease, report)),
    finish: (end) => write('finish', end, () => store.finish(lease, end)),
    listFiles: () => ask(async () => (await store.get(lease.jobId, null)).files),
    fetchFile: (name, path) => ask(() => store.fetch(lease, { kind: 'file', name }, path)),
    fetchInput: (path) => ask(() => store.fetch(lease, { kind: 'input' }, path)),
    settled: async () => {
      while (writes.size > 0) await Promise.allSettled(writes)
    },
  })
}
