import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FunctionManifest } from '../build/manifest.ts'
import type { JobHandle } from '../client/job-handle.ts'
import type { Config } from '../config/config.ts'
import { IsoplexError } from '../error/error.ts'
import { fromWire } from '../error/wire.ts'
import type { Job } from '../job/job.ts'
import { connectSynapse, findSynapseJob } from '../job/synapse-connection.ts'
import { SynapseReport } from '../job/synapse-report.ts'
import { interruptedCode } from './interruption.ts'
import type { JobDisplay } from './job-display.ts'
import { printable } from './job-lines.ts'
import { explain, formatBytes, printFailure } from './output.ts'
import { writeResult, writeResults } from './run-output.ts'
import type { RunRequest } from './run-request.ts'

/** How a job is followed. */
export interface FollowOptions extends Pick<RunRequest, 'signal' | 'json' | 'outputDirectory'> {
  readonly display: JobDisplay
}

/**
 * Follows a job that a run has submitted to its end: shows it, reports it to Synapse where the environment says so,
 * cancels it when the signal fires, and writes its result. Gives the exit code.
 */
export async function followRun(
  handle: JobHandle,
  fn: FunctionManifest,
  options: FollowOptions & Pick<RunRequest, 'project'>,
): Promise<number> {
  const { display, signal, project } = options
  display.begin(handle.id)
  using report = openReport(fn, project.config, display)
  const cancel = (): void => {
    display.note('Cancelling: what was done is rolled back first. Ctrl-C again ends this command at once.')
    handle.cancel().catch((error: unknown) => display.note(`It cannot be cancelled: ${explain(error)}`))
  }
  if (signal.aborted) cancel()
  else signal.addEventListener('abort', cancel, { once: true })
  try {
    for await (const event of handle.events()) {
      display.show(event)
      report?.take(event)
    }
    const job = await handle.refresh()
    const value = await readValue(handle, job)
    await report?.end(job, job.result?.mediaType === 'application/json' ? value : job.result)
    display.stop()
    return await conclude(handle, value, options)
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

/** Watches a job to its end, which the command does not touch. Gives the exit code. */
export async function watchJob(handle: JobHandle, options: FollowOptions): Promise<number> {
  for await (const event of handle.events({ signal: options.signal })) options.display.show(event)
  const job = await handle.refresh()
  options.display.stop()
  return await conclude(handle, await readValue(handle, job), options)
}

/** What a job gave, where it is one value. */
async function readValue(handle: JobHandle, { state, result }: Job): Promise<unknown> {
  return state === 'succeeded' && result?.form === 'value' ? await handle.result() : undefined
}

async function conclude(
  handle: JobHandle,
  value: unknown,
  { signal, json, outputDirectory, display }: FollowOptions,
): Promise<number> {
  const { job } = handle
  if (outputDirectory !== null) await saveFiles(handle, outputDirectory, display)
  else if (job.files.length > 0) {
    display.note(
      `It left ${job.files.map(({ name }) => printable(name)).join(', ')}; --output DIR takes them.`,
    )
  }
  if (job.state === 'succeeded') {
    if (job.result?.form === 'lines') await writeResults(handle.results())
    else await writeResult(value, { json })
    return 0
  }
  if (job.error) printFailure(fromWire(job.error), json)
  for (const text of job.error?.rollbackErrors ?? []) display.note(`In the rollback: ${printable(text)}`)
  return job.state === 'cancelled' && signal.aborted ? interruptedCode : 1
}

/** A name that a server gives is not to lead out of the folder. */
const fileName = /^(?!\.)[\w.-]{1,128}$/

async function saveFiles(handle: JobHandle, directory: string, display: JobDisplay): Promise<void> {
  await mkdir(directory, { recursive: true })
  for (const { name, bytes } of handle.job.files) {
    if (!fileName.test(name)) {
      throw new IsoplexError('FETCH_FAILED', 'The server names a file of the job as no file may be named.', {
        details: { reason: 'content' },
      })
    }
    const path = join(directory, name)
    await writeFile(path, (await handle.file(name)).bytes)
    display.note(`${path} (${formatBytes(bytes)})`)
  }
}

/** Opens the report to the Synapse backend that the job is run for; that it cannot be is no reason not to run it. */
function openReport(fn: FunctionManifest, config: Config, display: JobDisplay): SynapseReport | null {
  try {
    const job = findSynapseJob(process.env)
    if (job === null) return null
    return new SynapseReport({
      jobId: job.id,
      connection: connectSynapse(job, config.backendHeaders),
      weights: fn.action?.weights ?? {},
      warn: (text) => display.note(text),
    })
  } catch (error) {
    display.note(explain(error))
    return null
  }
}
