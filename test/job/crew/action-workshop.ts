import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createFolderShelf } from '../../../runtime/job/content/folder-shelf.ts'
import { createActionHost } from '../../../runtime/job/crew/action-host.ts'
import {
  type ActionExit,
  ActionProcess,
  type ActionProcessOptions,
} from '../../../runtime/job/crew/action-process.ts'

import type { JobEvent } from '../../../runtime/job/event.ts'
import type { Job } from '../../../runtime/job/job.ts'
import type { ActionHost, ActionOrder } from '../../../runtime/job/message.ts'
import { openJobStore } from '../../../runtime/job/store/job-store.ts'
import type { JobStore, TakenJob } from '../../../runtime/job/store.ts'
import { createProject } from '../../build/project.ts'
import { addConstantModel } from '../../support/onnx-models.ts'

/** Real actions, built, in real processes, over a real store. */
export interface ActionWorkshop extends AsyncDisposable {
  readonly store: JobStore
  /** Adds a job of one of its actions. */
  submit(action: string, params?: unknown): Promise<string>
  /** Takes the oldest job that nobody has, and starts a process that goes on with it. */
  start(options?: Partial<ActionProcessOptions>): Promise<Taking>
  /** All events of a job. */
  events(jobId: string): Promise<readonly JobEvent[]>
  /** The result of a job, as text. */
  result(jobId: string): Promise<string>
}

/** One process of a job. */
export interface Taking {
  readonly taken: TakenJob
  readonly process: ActionProcess
  /** Waits for its end; gives the job as it is then. */
  end(): Promise<ActionExit & { readonly job: Job }>
}

const principal = 'tenant:test'
const leaseMs = 60_000

/**
 * Builds function files and opens a store for jobs of them. There is one model, `five`, which adds 5 to float32 `x`.
 *
 * @param functions the texts of the files, by the names of their functions
 */
export async function makeActionWorkshop(
  functions: Readonly<Record<string, string>>,
): Promise<ActionWorkshop> {
  const files = Object.entries(functions).map(([name, text]) => [`functions/${name}.ts`, text] as const)
  const project = await createProject(Object.fromEntries(files))
  const modelPath = join(project.directory, 'models/five')
  await mkdir(modelPath, { recursive: true })
  await writeFile(join(modelPath, 'model.onnx'), addConstantModel(5))
  const builder = project.builder()
  const { functions: built, broken } = await builder.build()
  if (broken.length > 0) throw new Error(JSON.stringify(broken))
  const store = await openJobStore({
    database: { path: join(project.directory, 'jobs.sqlite') },
    shelf: createFolderShelf(join(project.directory, 'contents')),
    limits: {
      maxJobBytes: 100_000_000,
      maxRecordBytes: 1_000_000,
      retentionMs: 60_000,
      maxEvents: 10_000,
      maxEventBytes: 65_536,
    },
  })
  const takings: ActionProcess[] = []
  const bundleOf = (name: string): string => {
    const found = built.find((each) => each.name === name)
    if (!found) throw new Error(`There is no function "${name}".`)
    return join(builder.bundlesDirectory, found.bundle)
  }
  const models: Pick<ActionHost, 'describeModel' | 'prepareModel'> = {
    describeModel: async (id) => ({ id, note: 'as the backend says' }),
    prepareModel: async (id) => ({ id, version: '1', path: modelPath }),
  }

  return {
    store,
    async submit(action, params = {}) {
      const { job } = await store.submit(newJob(action, params), {
        maxQueuedJobs: 100,
        maxJobsPerPrincipal: 100,
      })
      return job.id
    },
    async start(options = {}) {
      const taken = await store.take({ worker: 'test', functions: Object.keys(functions), leaseMs })
      if (taken === null) throw new Error('There is no job to be taken.')
      const order = await orderOf(taken, bundleOf(taken.job.function))
      const { signal } = new AbortController()
      const host = createActionHost({ store, lease: taken.lease, models, signal })
      const environment = { PATH: process.env.PATH ?? '' }
      const started = new ActionProcess({ order, host, environment, ...options })
      takings.push(started)
      return {
        taken,
        process: started,
        async end() {
          const exit = await started.exited
          return { ...exit, job: await store.get(taken.job.id, null) }
        },
      }
    },
    events: (jobId) => store.events(jobId, 0, 100_000),
    async result(jobId) {
      const { bytes } = await store.read(jobId, { kind: 'result' }, 0, 10_000_000)
      return new TextDecoder().decode(bytes)
    },
    async [Symbol.asyncDispose]() {
      for (const taking of takings) {
        taking.kill()
        await taking.exited
      }
      await store.close()
      await project[Symbol.asyncDispose]()
    },
  }

  async function orderOf(taken: TakenJob, bundlePath: string): Promise<ActionOrder> {
    const { job, head, steps, rolledBack, fields, runningStep, checkpoint, pendingEnd } = taken
    const workDirectory = join(project.directory, `work-${crypto.randomUUID()}`)
    await mkdir(workDirectory)
    const inputPath = join(workDirectory, 'input')
    await store.fetch(taken.lease, { kind: 'input' }, inputPath)
    return {
      jobId: job.id,
      attempt: job.attempt,
      principal: job.principal,
      function: job.function,
      bundlePath,
      head,
      inputPath,
      workDirectory,
      modelId: null,
      steps,
      rolledBack,
      fields,
      runningStep,
      checkpoint,
      pendingEnd,
      overall: job.progress.overall,
      metrics: job.metrics,
      session: { provider: 'cpu', fallback: null, intraOpThreads: 1 },
      inputHosts: [],
      strict: true,
      logLevel: 'error',
    }
  }
}

function newJob(action: string, params: unknown): Parameters<JobStore['submit']>[0] {
  return {
    function: action,
    category: null,
    principal,
    head: {
      requestId: 'submitted',
      principal,
      method: 'POST',
      url: `/${action}`,
      params: {},
      contentType: 'application/json',
      accept: null,
      headers: [],
    },
    body: new TextEncoder().encode(JSON.stringify(params)),
    credential: null,
    models: [],
    idempotencyKey: null,
  }
}
