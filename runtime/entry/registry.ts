/** The registry's thread: SQLite, hashing and unpacking, off the gateway's loop. It answers questions by name. */
import { parentPort, workerData } from 'node:worker_threads'
import { errorCodes } from '../error/codes.ts'
import { toWire } from '../error/wire.ts'
import { openArtifactStore } from '../model/artifact-store.ts'
import type { FoundModel, ModelQuestion, ModelRecord } from '../model/backend.ts'
import { type ModelFolderChange, syncModelFolders } from '../model/model-folders.ts'
import type { Progress } from '../model/progress.ts'
import { openRegistry } from '../model/registry.ts'
import type { RegistryAnswer, RegistryQuestion } from '../model/registry-thread.ts'
import { createModelResolver, type ResolvedModel } from '../model/resolve.ts'
import type { LogLevel } from '../observe/log-line.ts'
import { createProcessLog } from './process-log.ts'

/** What the thread is started with. */
export interface RegistryData {
  readonly stateDirectory: string
  readonly logLevel: LogLevel
}

/** What it answers. */
export interface RegistryMethods {
  readonly [name: string]: (...parameters: never[]) => Promise<unknown>
  /** Asks the backend for a model; as `ModelResolver.find`. */
  readonly find: (question: ModelQuestion) => Promise<FoundModel>
  /** Checks a caller; as `Backend.confirm`. */
  readonly confirm: (question: ModelQuestion) => Promise<string | null>
  /** Makes a model's files ready; as `ModelResolver.prepare`. */
  readonly prepare: (record: ModelRecord, tenant: string | null) => Promise<ResolvedModel>
  /** Registers the models of a folder; as `syncModelFolders`. */
  readonly syncFolder: (directory: string) => Promise<readonly ModelFolderChange[]>
}

// The gateway starts this thread with exactly that.
const { stateDirectory: directory, logLevel } = workerData as RegistryData
const log = createProcessLog(logLevel)
// Questions may come before it is open: each waits for it, and each is told why where it cannot be opened.
const methods = openMethods()
parentPort?.on('message', (question: RegistryQuestion) => void answer(question))

async function openMethods(): Promise<RegistryMethods> {
  const store = await openArtifactStore({ directory })
  const registry = await openRegistry({ directory, store })
  const { find, prepare } = createModelResolver({ backend: registry, store })
  return {
    find,
    prepare,
    confirm: (question) => registry.confirm(question),
    syncFolder: (folder) => syncModelFolders(registry, folder),
  }
}

async function answer({ id, method, parameters, reports }: RegistryQuestion): Promise<void> {
  try {
    const given = reports ? withReporter(parameters, (progress) => reply({ id, progress })) : parameters
    const value = await (await methods)[method]?.(...(given as never[]))
    reply({ id, value })
  } catch (error) {
    const wire = toWire(error)
    if (errorCodes[wire.code].status >= 500) log.error('The registry failed', { method, directory, error })
    reply({ id, error: wire })
  }
}

/** Who asked took the function out of the first parameter, since it cannot cross. */
function withReporter(
  [first, ...others]: readonly unknown[],
  onProgress: (progress: Progress) => void,
): unknown[] {
  return [{ ...(first as object), onProgress }, ...others]
}

function reply(message: RegistryAnswer): void {
  parentPort?.postMessage(message)
}
