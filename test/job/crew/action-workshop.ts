import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defaults } from '../../../runtime/config/defaults.ts'
import { createFolderShelf } from '../../../runtime/job/content/folder-shelf.ts'
import { createActionHost } from '../../../runtime/job/crew/action-host.ts'
import {
  type ActionExit,
  ActionProcess,
  type ActionProcessOptions,
} from '../../../runtime/job/crew/action-process.ts'
import type { JobEvent } from '../../../runtime/job/event.ts'
import type { Job } from '../../../runtime/job/job.ts'
import type { ActionOrder } from '../../../runtime/job/message.ts'
import { openJobStore } from '../../../runtime/job/store/job-store.ts'
import type { JobStore, TakenJob } from '../../../runtime/job/store.ts'
import { createProject, type TestProject } from '../../build/project.ts'
import { addConstantModel } from '../../support/onnx-models.ts'
import { noDeploymentHost } from '../no-deployments.ts'

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
 * Real actions, built, in real processes, over a real store. There is one model, `five`, which adds 5 to float32 `x`.
 */
export class ActionWorkshop implements AsyncDisposable {
  readonly store: JobStore
  readonly #project: TestProject
  readonly #bundles: ReadonlyMap<string, string>
  readonly #processes: ActionProcess[] = []

  private constructor(project: TestProject, bundles: ReadonlyMap<string, string>, store: JobStore) {
    this.#project = project
    this.#bundles = bundles
    this.store = store
  }

  /** Builds function files, whose texts are given by the names of their functions, and opens the store. */
  static async make(functions: Readonly<Record<string, string>>): Promise<ActionWorkshop> {
    const files = Object.entries(functions).map(([name, text]) => [`functions/${name}.ts`, text] as const)
    const project = await createProject(Object.fromEntries(files))
    const model = join(project.directory, 'models/five')
    await mkdir(model, { recursive: true })
    await writeFile(join(model, 'model.onnx'), addConstantModel(5))
    const builder = project.builder()
    const { functions: built, broken } = await builder.build()
    if (broken.length > 0) throw new Error(JSON.stringify(broken))
    const bundles = built.map(({ name, bundle }) => [name, join(builder.bundlesDirectory, bundle)] as const)
    return new ActionWorkshop(project, new Map(bundles), await openTestStore(project.directory))
  }

  /** Adds a job of one of the actions. */
  async submit(action: string, params: unknown = {}): Promise<string> {
    const limits = { maxQueuedJobs: 100, maxJobsPerPrincipal: 100 }
    const { job } = await this.store.submit(newJob(action, params), limits)
    return job.id
  }

  /** Takes the oldest job that nobody has. */
  async take(): Promise<TakenJob> {
    const functions = [...this.#bundles.keys()]
    const taken = await this.store.take({ worker: 'test', functions, leaseMs })
    if (taken === null) throw new Error('There is no job to be taken.')
    return taken
  }

  /** Takes the oldest job that nobody has, and starts a process that goes on with it. */
  async start(options: Partial<ActionProcessOptions> = {}): Promise<Taking> {
    const taken = await this.take()
    const { store } = this
    const path = join(this.#project.directory, 'models/five')
    const host = createActionHost({
      store,
      lease: taken.lease,
      rights: {
        ...noDeploymentHost,
        describeModel: async (id) => ({ id, note: 'as the backend says' }),
        prepareModel: async (id) => ({ id, version: '1', path }),
      },
      signal: new AbortController().signal,
    })
    const order = await this.#orderOf(taken)
    const environment = { PATH: process.env.PATH ?? '' }
    const started = new ActionProcess({ order, host, environment, ...options })
    this.#processes.push(started)
    const end: Taking['end'] = async () => {
      const exit = await started.exited
      return { ...exit, job: await store.get(taken.job.id, null) }
    }
    return { taken, process: started, end }
  }

  /** All events of a job. */
  events(jobId: string): Promise<readonly JobEvent[]> {
    return this.store.events(jobId, 0, 100_000)
  }

  /** The result of a job, as text. */
  async result(jobId: string): Promise<string> {
    const { bytes } = await this.store.read(jobId, { kind: 'result' }, 0, 10_000_000)
    return new TextDecoder().decode(bytes)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.#processes) {
      each.kill()
      await each.exited
    }
    await this.store.close()
    await this.#project[Symbol.asyncDispose]()
  }

  async #orderOf({ lease, job, ...taken }: TakenJob): Promise<ActionOrder> {
    const { head, steps, rolledBack, fields, runningStep, checkpoint, pendingEnd } = taken
    const workDirectory = join(this.#project.directory, `work-${crypto.randomUUID()}`)
    await mkdir(workDirectory)
    const inputPath = join(workDirectory, 'input')
    await this.store.fetch(lease, { kind: 'input' }, inputPath)
    return {
      jobId: job.id,
      attempt: job.attempt,
      principal: job.principal,
      function: job.function,
      bundlePath: this.#bundles.get(job.function) ?? '',
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
      maxJobBytes: 10_000_000,
      strict: true,
      logLevel: 'error',
    }
  }
}

function openTestStore(directory: string): Promise<JobStore> {
  return openJobStore({
    database: { path: join(directory, 'jobs.sqlite') },
    shelf: createFolderShelf(join(directory, 'contents')),
    limits: defaults,
  })
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
