/** The thread of the jobs' store: databases block theirs. It answers questions by name. */
import { parentPort, workerData } from 'node:worker_threads'
import type { JobStore } from '../job/store.ts'
import { answerQuestions } from '../thread/service.ts'
import type { JobsData } from './job-settings.ts'
import { createProcessLog } from './process-log.ts'

/** What it answers. */
export interface JobsMethods extends JobStore {
  readonly [name: string]: (...parameters: never[]) => Promise<unknown>
}

// Who opens jobs starts this thread with exactly that.
const { directory, logLevel } = workerData as JobsData
const log = createProcessLog(logLevel)
answerQuestions({
  port: parentPort,
  methods: openMethods(),
  onFailure: (method, error) => log.error('The store of the jobs failed', { method, directory, error }),
})

function openMethods(): Promise<JobsMethods> {
  return Promise.reject(new Error('no store yet'))
}
