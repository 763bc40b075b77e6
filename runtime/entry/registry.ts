/** The registry's thread: SQLite, hashing and unpacking, off the gateway's loop. It answers questions by name. */
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import {
  type AddModelParameters,
  createAdministration,
  type ReportingAdministration,
} from '../model/administration.ts'
import type { ApplicationOptions, RegisteredApplication } from '../model/application-table.ts'
import type { FoundModel, ModelQuestion, ModelRecord } from '../model/backend.ts'
import { type ModelFolderChange, syncModelFolders } from '../model/model-folders.ts'
import type { AddedModel } from '../model/registration.ts'
import type { ResolvedModel } from '../model/resolve.ts'
import type { StoreKeeping } from '../model/store-keeping.ts'
import type { ArtifactFile } from '../model/stored-artifact.ts'
import type { Change } from '../model/transaction.ts'
import { openUploads, type UploadChunk, type UploadName, type UploadState } from '../model/upload.ts'
import type { LogLevel } from '../observe/log-line.ts'
import { answerQuestions } from '../thread/service.ts'
import { type ModelHostOptions, openModelHost } from './model-host.ts'
import { createProcessLog } from './process-log.ts'

/** What the thread is started with. */
export interface RegistryData extends Omit<ModelHostOptions, 'onPruningFailed'> {
  readonly logLevel: LogLevel
}

/** What it answers. */
export interface RegistryMethods extends ReportingAdministration, StoreKeeping {
  readonly [name: string]: (...parameters: never[]) => Promise<unknown>
  /** Asks the backend for a model; as `ModelResolver.find`. */
  readonly find: (question: ModelQuestion) => Promise<FoundModel>
  /** Checks a caller; as `Backend.confirm`. */
  readonly confirm: (question: ModelQuestion) => Promise<string | null>
  /** Makes a model's files ready; as `ModelResolver.prepare`. */
  readonly prepare: (record: ModelRecord, tenant: string | null) => Promise<ResolvedModel>
  /** Keeps these artifacts from being pruned; as `ArtifactStore.hold`. */
  readonly hold: (digests: readonly string[]) => Promise<void>
  /** Registers the models of a folder; as `syncModelFolders`. */
  readonly syncFolder: (directory: string) => Promise<readonly ModelFolderChange[]>
  /** Asks the embedded registry for a model, whatever the backend is; as `Registry.find`. */
  readonly findRegistered: (question: ModelQuestion) => Promise<FoundModel>
  /** Tells where an artifact lies; as `ArtifactStore.locate`. */
  readonly locateArtifact: (digest: string) => Promise<ArtifactFile | null>
  /** As `Uploads.begin`. */
  readonly beginUpload: (accessId: number, chunk: UploadChunk) => Promise<UploadState>
  /** As `Uploads.append`. */
  readonly appendUpload: (name: UploadName, chunk: UploadChunk) => Promise<UploadState>
  /** As `Uploads.finish`. */
  readonly finishUpload: (name: UploadName, md5: string) => Promise<UploadState>
  /** As `Registry.registerApplication`. */
  readonly registerApplication: (application: ApplicationOptions & Change) => Promise<RegisteredApplication>
  /** As `Registry.listApplications`. */
  readonly listApplications: (
    of: { readonly tenant: string | null } | 'all',
  ) => Promise<readonly RegisteredApplication[]>
  /** Makes a model of a finished upload; as `Administration.addModel`, less the source. */
  readonly registerUpload: (name: UploadName, model: UploadedModelParameters) => Promise<AddedModel>
}

/** A model whose source is an upload. */
export type UploadedModelParameters = Omit<AddModelParameters, 'source'>

const sweepMs = 3_600_000

// The gateway starts this thread with exactly that.
const data = workerData as RegistryData
const { directory, settings } = data
const log = createProcessLog(data.logLevel)
answerQuestions({
  port: parentPort,
  methods: openMethods(),
  onFailure: (method, error) => log.error('The registry failed', { method, directory, error }),
})

async function openMethods(): Promise<RegistryMethods> {
  const onPruningFailed = (error: unknown): void => log.warn('The model store could not be pruned', { error })
  const { store, registry, backend, resolver, keeping } = await openModelHost({ ...data, onPruningFailed })
  const { find, prepare } = resolver
  const uploads = await openUploads(join(directory, 'staging'), { maxBytes: settings.maxArtifactBytes })
  const sweep = (): void => {
    uploads.sweep().catch((error: unknown) => log.warn('Uploads could not be swept', { error }))
  }
  setInterval(sweep, sweepMs).unref()
  return {
    ...createAdministration(registry),
    ...keeping,
    find,
    prepare,
    confirm: (question) => backend.confirm(question),
    hold: (digests) => store.hold(digests),
    syncFolder: (folder) => syncModelFolders(registry, folder),
    findRegistered: (question) => registry.find(question),
    registerApplication: (application) => registry.registerApplication(application),
    listApplications: (of) => registry.listApplications(of),
    locateArtifact: (digest) => store.locate(digest),
    beginUpload: (accessId, chunk) => uploads.begin(accessId, chunk),
    appendUpload: (name, chunk) => uploads.append(name, chunk),
    finishUpload: (name, md5) => uploads.finish(name, md5),
    registerUpload: (name, model) => uploads.use(name, (source) => registry.add({ ...model, source })),
  }
}
