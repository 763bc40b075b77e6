import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { loadSharedKeys } from '../auth/shared-key.ts'
import { createClient } from '../client/client.ts'
import type { JobHandle } from '../client/job-handle.ts'
import { type FileValue, isFileValue } from '../define/file-value.ts'
import { JobFrameWriter } from '../deploy/job-frames.ts'
import { type JobOrder, openJobOrder } from '../deploy/job-order.ts'
import { openLocalServer } from '../entry/local-server.ts'
import { createProcessLog } from '../entry/process-log.ts'
import { IsoplexError } from '../error/error.ts'
import { toWire } from '../error/wire.ts'
import { plainFormOf } from '../runner/plain-form.ts'
import { listenForInterruption } from './interruption.ts'
import { openProject } from './project.ts'
import { orderVariable } from './run-on-ray.ts'
import { findFunction } from './run-request.ts'

/** A line of the log is to stay of a size that whoever reads it can hold. */
const partBytes = 65_536

/** Tells something by the job's log. */
type Tell = (kind: string, data: unknown, bytes?: Uint8Array) => void

/** Adds `isoplex ray-job`, which a cluster runs in the folder of a self-contained build: `isoplex run --mode ray` asks for it. */
export function addRayJobCommand(program: Command): void {
  program
    .command('ray-job', { hidden: true })
    .description('Run the action of a sealed order, in the folder of a self-contained build.')
    .requiredOption('--key-file <path>', 'the key of the cluster')
    .action(runRayJob)
}

async function runRayJob({ keyFile }: { readonly keyFile: string }): Promise<void> {
  using interruption = listenForInterruption()
  const keys = await loadSharedKeys(keyFile)
  const order = openJobOrder(keys, process.env[orderVariable] ?? '')
  delete process.env[orderVariable]
  // For this process alone: those that run functions get an environment of their own.
  Object.assign(process.env, order.environment)
  const frames = new JobFrameWriter(keys, order.nonce)
  const tell: Tell = (kind, data, bytes) => void process.stdout.write(frames.line(kind, data, bytes))
  try {
    process.exitCode = await performOrder(order, tell, interruption.signal)
  } catch (error) {
    tell('failure', toWire(error))
    process.exitCode = 1
  }
}

/** Runs the job in this process tree, on a server that nobody else can reach, and tells all of it. */
async function performOrder(order: JobOrder, tell: Tell, signal: AbortSignal): Promise<number> {
  const scratch = await mkdtemp(join(tmpdir(), 'isoplex-ray-job-'))
  try {
    // The folder of the build may be read-only, and other jobs have it too.
    const stateDirectory = process.env.ISOPLEX_STATE_DIRECTORY ?? scratch
    const project = await openProject({ stateDirectory })
    const log = createProcessLog(project.config.logLevel)
    await using server = await openLocalServer({ ...project, buildDirectory: project.projectDirectory, log })
    const fn = findFunction(server.manifest, order.action)
    const client = createClient({
      baseUrl: server.origin,
      fetch: (url, init) => server.fetch(url, init),
      retries: 0,
    })
    const action = client[fn.name]
    if (!action) throw new IsoplexError('ROUTE_NOT_FOUND', `There is no action "${order.action}".`)
    const params = order.params === null ? undefined : JSON.parse(order.params)
    const handle = await action.submit(params ?? (fn.accepts.length > 0 ? {} : undefined))
    const cancel = (): void => void handle.cancel()
    if (signal.aborted) cancel()
    else signal.addEventListener('abort', cancel, { once: true })
    for await (const event of handle.events()) tell('event', event)
    return await tellEnd(handle, tell)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function tellEnd(handle: JobHandle, tell: Tell): Promise<number> {
  const job = await handle.refresh()
  if (job.state === 'succeeded' && job.result?.form === 'lines') {
    for await (const value of handle.results()) tell('lines', null, Buffer.from(`${toJson(value)}\n`))
  } else if (job.state === 'succeeded' && job.result !== null) tellValue(await handle.result(), tell)
  for (const { name } of job.files) tellFile(await handle.file(name), name, tell)
  tell('end', job)
  return job.state === 'succeeded' ? 0 : 1
}

function tellValue(value: unknown, tell: Tell): void {
  if (isFileValue(value)) tellParts(value.bytes, (part) => tell('value', value.mediaType, part))
  else if (value !== undefined) {
    tellParts(Buffer.from(toJson(value)), (part) => tell('value', 'application/json', part))
  }
}

function tellFile({ bytes, mediaType }: FileValue, name: string, tell: Tell): void {
  tellParts(bytes, (part) => tell('file', { name, mediaType }, part))
}

function tellParts(bytes: Uint8Array, tellPart: (part: Uint8Array) => void): void {
  for (let at = 0; at === 0 || at < bytes.length; at += partBytes) {
    tellPart(bytes.subarray(at, at + partBytes))
  }
}

function toJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => plainFormOf(member))
}
