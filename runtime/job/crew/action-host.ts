import type { ActionHost } from '../message.ts'
import type { JobStore, Lease } from '../store.ts'
import { type PatienceOptions, withPatience } from './patience.ts'

/** What of a host depends on who submitted the job. */
export type ActionRights = Pick<
  ActionHost,
  'describeModel' | 'prepareModel' | 'describeDeployment' | 'prepareBundle' | 'registerApplication'
>

/** What the host of one job is made with. */
export interface ActionHostOptions extends PatienceOptions {
  readonly store: JobStore
  readonly lease: Lease
  /** Finds the models of the job, and does what deployments ask for, by the right of whoever submitted it. */
  readonly rights: ActionRights
}

/**
 * Makes what a job's process asks for all that is to last: the store, with the job's lease, and its models. Where the
 * store is not to be had or the disk is full, that passes: it is tried again until it succeeds or the signal fires.
 * `LEASE_LOST` goes through, and so does all else.
 */
export function createActionHost(options: ActionHostOptions): ActionHost {
  const { store, lease, rights } = options
  const lasting = <Value>(ask: () => Promise<Value>): Promise<Value> => withPatience(ask, options)
  return Object.freeze({
    describeModel: (modelId) => rights.describeModel(modelId),
    prepareModel: (modelId) => rights.prepareModel(modelId),
    describeDeployment: () => rights.describeDeployment(),
    prepareBundle: () => rights.prepareBundle(),
    registerApplication: (application) => rights.registerApplication(application),
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
