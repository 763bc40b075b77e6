import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FunctionLog } from '../../runtime/define/context.ts'
import type { ResolvedModel } from '../../runtime/model/resolve.ts'
import type { Deployment } from '../../runtime/replica/deployment.ts'
import { Scheduler, type SchedulerOptions } from '../../runtime/replica/scheduler.ts'
import { Tallies } from '../../runtime/replica/tallies.ts'
import type { Answer } from '../../runtime/replica/ticket.ts'
import { unknownCaller } from './work.ts'

const repository = new URL('../..', import.meta.url).pathname
const environment = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' }

/** A line that was logged. */
export interface LogLine {
  readonly level: keyof FunctionLog
  readonly message: string
  readonly [field: string]: unknown
}

/** Real replicas over functions that a test writes. */
export interface ReplicaWorkshop extends AsyncDisposable {
  readonly directory: string
  readonly log: readonly LogLine[]
  readonly options: SchedulerOptions
  /** Makes a scheduler that is closed with the workshop. */
  open(options?: Partial<SchedulerOptions>): Scheduler
  /** Writes a function's file; what a test does not say is as a deployment of few means would have it. */
  deploy(name: string, source: string, facts?: Partial<Deployment>): Promise<Deployment>
}

/** Makes a folder in which functions can import isoplex. */
export async function makeReplicaWorkshop(): Promise<ReplicaWorkshop> {
  const directory = await mkdtemp(join(tmpdir(), 'isoplex-replica-'))
  await mkdir(join(directory, 'node_modules'))
  await symlink(repository, join(directory, 'node_modules/isoplex'))
  await symlink(join(repository, 'node_modules/@sinclair'), join(directory, 'node_modules/@sinclair'))
  const schedulers: Scheduler[] = []
  const log: LogLine[] = []
  const write =
    (level: keyof FunctionLog) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
      void log.push({ level, message, ...fields })
  const options = optionsOf(directory, {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  })
  let deployments = 0
  return {
    directory,
    log,
    options,
    open(changed = {}) {
      const scheduler = new Scheduler({ ...options, ...changed })
      schedulers.push(scheduler)
      return scheduler
    },
    async deploy(name, source, facts = {}) {
      deployments += 1
      const bundlePath = join(directory, `${name}-${deployments}.js`)
      await writeFile(bundlePath, header + source)
      return {
        id: `${name}@${deployments}`,
        name,
        functionName: name,
        bundlePath,
        batch: { maxSize: 1, maxDelayMs: 0, maxBytes: 1_048_576 },
        concurrency: 1,
        ahead: 0,
        maxInReplica: 1,
        options: {},
        session: {},
        group: null,
        idempotent: true,
        calls: [],
        apart: [],
        timeoutMs: 10_000,
        ...facts,
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(schedulers.map((scheduler) => scheduler.close(0)))
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** What a scheduler of few means is opened with. */
function optionsOf(directory: string, log: FunctionLog): SchedulerOptions {
  return {
    replicas: 1,
    maxRunnersPerReplica: 32,
    maxModelBytesPerReplica: 2 ** 40,
    maxModelBytesPerPrincipal: null,
    maxParallelLoads: 2,
    maxReplicaBytes: 2 ** 40,
    maxReplicaLoads: 1_000_000,
    maxQueuedRequests: 10_000,
    maxRequestsPerPrincipal: 10_000,
    tallies: new Tallies(),
    loadTimeoutMs: 10_000,
    runnerIdleMs: 60_000,
    runDirectory: directory,
    environment,
    session: { provider: 'cpu', fallback: null, intraOpThreads: 1 },
    inputHosts: [],
    logLevel: 'error',
    log,
  }
}

const header = `
import { Type } from '@sinclair/typebox'
import { appendFileSync } from 'node:fs'
import { defineFunction, defineInference, multiplexed } from 'isoplex'
`

/** A model as a backend would have resolved it; loaders of tests do not look for its files. */
export function modelOf(id: string, bytes = 0): ResolvedModel {
  return { key: `test/${id}@1`, digest: '0'.repeat(64), bytes, info: { id, version: '1', path: '/nowhere' } }
}

/** How a test asks. */
export interface AskOptions {
  readonly model?: string | ResolvedModel
  readonly principal?: string
  readonly signal?: AbortSignal
}

/** Sends JSON to a deployment. */
export function ask(
  scheduler: Scheduler,
  deployment: Deployment,
  input: unknown,
  { model, principal = 'test', signal = new AbortController().signal }: AskOptions = {},
): Promise<Answer> {
  return scheduler.submit({
    deployment,
    model: typeof model === 'string' ? modelOf(model) : (model ?? null),
    head: {
      requestId: 'test',
      principal,
      method: 'POST',
      url: '/',
      params: {},
      contentType: 'application/json',
      accept: null,
      headers: [],
    },
    body: new TextEncoder().encode(JSON.stringify(input)),
    signal,
    caller: unknownCaller,
  })
}

/** Sends JSON and reads the answer as JSON, or gives the code of the error. */
export async function outcomeOf(...parameters: Parameters<typeof ask>): Promise<unknown> {
  try {
    const { body } = await ask(...parameters)
    return await new Response(body).json()
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}

/** Watches objects without keeping them, to see what others keep. */
export class Witness<Watched extends WeakKey> {
  readonly #references: WeakRef<Watched>[] = []

  watch(object: Watched): Watched {
    this.#references.push(new WeakRef(object))
    return object
  }

  /** How many are still kept by somebody. */
  count(): number {
    Bun.gc(true)
    return this.#references.filter((reference) => reference.deref() !== undefined).length
  }
}
