/** The jobs of a server, or of a command: their store in a thread, the crew that runs them, and the service. */

import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { CredentialSeals } from '../auth/sealed-credential.ts'
import type { Manifest } from '../build/manifest.ts'
import type { Config } from '../config/config.ts'
import { isIsoplexError } from '../error/error.ts'
import { type ActionHere, Crew } from '../job/crew/crew.ts'
import type { DeploymentDesk } from '../job/crew/deployment-desk.ts'
import { JobFeed } from '../job/feed.ts'
import { createJobService } from '../job/job-service.ts'
import { JobTallies } from '../job/job-tallies.ts'
import type { JobService } from '../job/service.ts'
import type { JobStore } from '../job/store.ts'
import { tallyStore } from '../job/tallied-store.ts'
import type { Logger } from '../observe/log.ts'
import { createJobModels, type JobModelsOptions } from './job-models.ts'
import { jobSettingsOf } from './job-settings.ts'
import { createThreadJobStore } from './job-thread.ts'

/** What a job host is made from. */
export interface JobHostOptions extends JobModelsOptions {
  readonly config: Config
  /** Does what deployment actions ask for. */
  readonly deployments: DeploymentDesk
  /** The folder of the store, where the configuration names no other, and of scratch files; it must exist. */
  readonly stateDirectory: string
  /** What submitters' credentials are sealed with. */
  readonly seals: CredentialSeals
  /** All of the environment that the processes of jobs get. */
  readonly environment: Readonly<Record<string, string>>
  /** Whether authors' mistakes are errors that are shown whole: while developing. */
  readonly strict: boolean
  readonly log: Logger
}

/** The jobs of a server. */
export interface JobHost extends AsyncDisposable {
  readonly service: JobService
  /** What has become of jobs here. */
  readonly tallies: JobTallies
  /** Notes among the tallies how many jobs wait. A store that does not answer within a second is not waited for. */
  survey(): Promise<void>
  /** The digests of the models that jobs use just now. */
  digests(): readonly string[]
  /**
   * Runs jobs of the actions of a manifest from now on, and of no others. With the first action that there is the store
   * is opened. `bundlesDirectory` is where the bundles lie.
   */
  follow(manifest: Pick<Manifest, 'functions'>, bundlesDirectory: string): void
  /**
   * Runs no more jobs, and ends what watches them. Those that run are ended and given back: they go on at the next
   * start, or on another server. Jobs are taken in all the same.
   */
  stop(): Promise<void>
}

const sweepMs = 3_600_000
const surveyMs = 1_000

/** Makes the jobs of a server. To dispose of them stops them and closes their store. */
export function openJobHost(options: JobHostOptions): JobHost {
  const { config, deployments, stateDirectory, seals, environment, strict, log } = options
  const directory = join(stateDirectory, 'jobs')
  const tallies = new JobTallies()
  const { logLevel } = config
  const thread = createThreadJobStore({ directory, settings: jobSettingsOf(config), logLevel })
  const store = tallyStore(thread, tallies)
  const feed = new JobFeed(store)
  const models = createJobModels(options)
  const crew = new Crew({
    store,
    models,
    deployments,
    seals,
    limits: config,
    environment,
    session: sessionOf(config),
    inputHosts: config.inputHosts,
    maxJobBytes: config.maxJobBytes,
    strict,
    logLevel: config.logLevel,
    workDirectory: join(directory, 'work'),
    changed: (jobId) => feed.notice(jobId),
    log,
  })
  const service = createJobService({ store, feed, crew, models, seals, limits: config })
  let sweeping: Timer | undefined
  const sweep = (): void => void forgetEnded(store, log)
  const stop = async (): Promise<void> => {
    clearInterval(sweeping)
    feed[Symbol.dispose]()
    await crew.stop()
  }
  return Object.freeze<JobHost>({
    service,
    tallies,
    // Nobody opens a store only to find it empty.
    survey: async () => (sweeping === undefined ? undefined : surveyQueued(store, tallies)),
    stop,
    digests: () => crew.digests,
    follow: ({ functions }, bundlesDirectory) => {
      const actions = functions.flatMap((fn): ActionHere[] => {
        const { name, bundle, action } = fn
        if (!action) return []
        const { timeoutMs, models: own } = action
        return [{ name, bundlePath: join(bundlesDirectory, bundle), timeoutMs, models: own }]
      })
      crew.follow(actions)
      if (actions.length === 0 || sweeping !== undefined) return
      sweep()
      sweeping = setInterval(sweep, sweepMs)
    },
    [Symbol.asyncDispose]: async () => {
      await stop()
      await store.close()
    },
  })
}

async function surveyQueued(store: Pick<JobStore, 'countQueued'>, tallies: JobTallies): Promise<void> {
  const noted = store.countQueued().then((counts) => tallies.noteQueued(counts))
  await Promise.race([noted.catch(() => undefined), Bun.sleep(surveyMs)])
}

/** What sessions use where an action does not say: the threads are those that the jobs side by side leave each other. */
function sessionOf({ provider, fallback, intraOpThreads, maxConcurrentJobs }: Config): {
  readonly provider: string
  readonly fallback: string | null
  readonly intraOpThreads: number
} {
  const share = Math.max(1, Math.floor(availableParallelism() / Math.max(1, maxConcurrentJobs)))
  return { provider, fallback, intraOpThreads: intraOpThreads || share }
}

/** Forgets the jobs whose time is over. Of a store that is away the crew tells. */
async function forgetEnded(store: JobStore, log: Logger): Promise<void> {
  try {
    await store.sweep()
  } catch (error) {
    if (isIsoplexError(error) && error.code === 'JOB_STORE_UNAVAILABLE') return
    log.warn('Ended jobs could not be forgotten', { error })
  }
}
