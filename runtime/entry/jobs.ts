/** The thread of the jobs' store: databases block theirs. It answers questions by name. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { isIsoplexError } from '../error/error.ts'
import type { ContentShelf } from '../job/content/content-shelf.ts'
import { createFolderShelf } from '../job/content/folder-shelf.ts'
import { createS3Shelf } from '../job/content/s3-shelf.ts'
import { createServerShelf } from '../job/content/server-shelf.ts'
import { openSoleStore } from '../job/sole-store.ts'
import { openJobStore } from '../job/store/job-store.ts'
import type { JobStore } from '../job/store.ts'
import { answerQuestions } from '../thread/service.ts'
import type { JobsData } from './job-settings.ts'
import { createProcessLog } from './process-log.ts'

/** What it answers. */
export interface JobsMethods extends JobStore {
  readonly [name: string]: (...parameters: never[]) => Promise<unknown>
}

/** How long nothing more is said of a store that is away, or whose disk is full. */
const repeatMs = 60_000

// Who opens jobs starts this thread with exactly that.
const { directory, settings, logLevel } = workerData as JobsData
const log = createProcessLog(logLevel)
let saidAtMs = Number.NEGATIVE_INFINITY
answerQuestions({
  port: parentPort,
  methods: openMethods(),
  onFailure: (method, error) => {
    if (isTaken(error)) return
    if (isPassing(error)) {
      if (performance.now() - saidAtMs < repeatMs) return
      saidAtMs = performance.now()
    }
    log.error('The store of the jobs failed', { method, directory, error })
  },
})

/** Whether it is said already: another server keeps the jobs. */
function isTaken(error: unknown): boolean {
  return isIsoplexError(error) && error.code === 'JOB_STORE_UNAVAILABLE' && error.details.reason === 'taken'
}

/** Whether it is a failure that whoever asks meets again and again, until it is over. */
function isPassing(error: unknown): boolean {
  return isIsoplexError(error) && (error.code === 'JOB_STORE_UNAVAILABLE' || error.code === 'STORAGE_FULL')
}

async function openMethods(): Promise<JobsMethods> {
  const { jobStoreUrl: url, jobFilesUrl } = settings
  const filesShelf = jobFilesUrl === null ? null : createS3Shelf(jobFilesUrl)
  return { ...(url === null ? openOwn(filesShelf) : await openShared(url, filesShelf)) }
}

/** A database of this machine is for one server alone: others that share its folder wait for that one's end. */
function openOwn(filesShelf: ContentShelf | null): JobStore {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return openSoleStore({
    ownerPath: join(directory, 'owner'),
    open: () =>
      openJobStore({
        database: { path: join(directory, 'jobs.sqlite') },
        shelf: filesShelf ?? createFolderShelf(join(directory, 'contents')),
        limits: settings,
        sole: true,
      }),
    onTaken: (ownerPid) => log.warn('Another server keeps the jobs of this state folder', { ownerPid }),
    onOwned: () => log.info('The jobs of this state folder are kept by this server from now on'),
  })
}

async function openShared(url: string, filesShelf: ContentShelf | null): Promise<JobStore> {
  const tableShelf = createServerShelf(url)
  const shelf = filesShelf ?? tableShelf
  const store = await openJobStore({ database: { url }, shelf, limits: settings })
  return {
    ...store,
    close: async () => {
      await store.close()
      await tableShelf.close()
    },
  }
}
