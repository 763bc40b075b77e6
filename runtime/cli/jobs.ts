import { type Command, InvalidArgumentError, Option } from 'commander'
import { createClient } from '../client/client.ts'
import type { JobHandle } from '../client/job-handle.ts'
import { createAsk } from '../control/ask.ts'
import { IsoplexError } from '../error/error.ts'
import { isEnded, type Job, type JobState, jobStates } from '../job/job.ts'
import { interruptedCode, listenForInterruption } from './interruption.ts'
import { createJobDisplay } from './job-display.ts'
import { formatJob, formatJobs } from './job-table.ts'
import { createOutput } from './output.ts'
import { addConfigFlags } from './project.ts'
import { watchJob } from './run-follow.ts'
import { writeResult, writeResults } from './run-output.ts'
import { findServer } from './running-server.ts'

interface JobsFlags {
  readonly json?: boolean
}

interface ListFlags extends JobsFlags {
  readonly state?: JobState
  readonly function?: string
  readonly before?: string
  readonly limit: number
}

interface FollowFlags extends JobsFlags {
  readonly output?: string
}

/** Adds `isoplex jobs`: the jobs of the running server, whoever has submitted them. */
export function addJobsCommand(program: Command): void {
  const jobs = program.command('jobs').description('Jobs of the running server.')
  const list = jobs
    .command('list')
    .description('List the jobs, the newest first.')
    .addOption(new Option('--state <state>', 'only jobs in this state').choices(jobStates))
    .option('--function <name>', 'only jobs of this action')
    .option('--before <id>', 'only jobs older than this one')
    .option('--limit <count>', 'how many at most, up to 1000', parseCount, 50)
    .action(listJobs)
  const onOne = (name: string, description: string): Command =>
    jobs.command(name).description(description).argument('<id>', 'the job')
  const commands = [
    list,
    onOne('show', 'Show a job: how far it is, what it left, why it failed.').action(showJob),
    onOne('logs', 'Print the log of a job.').action(printLogs),
    onOne('result', 'Print what a job gave.').action(printResult),
    onOne('cancel', 'Cancel a job; its steps are rolled back.').action(cancelJob),
    onOne('follow', 'Show a job until it has ended, and then its result.')
      .option('--output <folder>', 'where to put the files of the job')
      .action(followJob),
  ]
  for (const command of commands) addConfigFlags(command.option('--json', 'print JSON'), ['stateDirectory'])
}

async function listJobs({ json = false, limit, ...query }: ListFlags): Promise<void> {
  const { jobs } = await openServer(query)
  const { state, function: name, before } = query
  const found = await jobs.list({ state, function: name, before, limit })
  createOutput(json).result(found, formatJobs(found, Date.now()))
}

async function showJob(id: string, flags: JobsFlags): Promise<void> {
  const { job } = await openJob(id, flags)
  createOutput(flags.json ?? false).result(job, formatJob(job, Date.now()))
}

async function printLogs(id: string, flags: JobsFlags): Promise<void> {
  const { ask } = await openServer(flags)
  const accept = flags.json ? 'application/x-ndjson' : 'text/plain'
  const { body } = await ask(`/-/jobs/${encodeURIComponent(id)}/logs`, { headers: { accept } })
  for await (const piece of body ?? []) {
    if (!process.stdout.writable) return
    process.stdout.write(piece)
  }
}

async function printResult(id: string, flags: JobsFlags): Promise<void> {
  const handle = await openJob(id, flags)
  const { state, result } = handle.job
  if (!isEnded(state)) {
    const message = `${id} is ${state}, and has no result yet; "isoplex jobs follow ${id}" waits for it.`
    throw new IsoplexError('JOB_UNFINISHED', message)
  }
  if (result?.form === 'lines') await writeResults(handle.results())
  else await writeResult(await handle.result(), { json: flags.json ?? false })
}

async function cancelJob(id: string, flags: JobsFlags): Promise<void> {
  const job: Job = await (await openJob(id, flags)).cancel()
  const text = isEnded(job.state) ? `${id} has ended: ${job.state}` : `${id} is to end`
  createOutput(flags.json ?? false).result(job, text)
}

/** Ctrl-C ends the watching, and not the job. */
async function followJob(id: string, flags: FollowFlags): Promise<void> {
  const { json = false, output } = flags
  using interruption = listenForInterruption()
  const { signal } = interruption
  const display = createJobDisplay({ json })
  try {
    const options = { display, json, signal, outputDirectory: output ?? null }
    const code = await watchJob(await openJob(id, flags), options)
    if (code !== 0) process.exitCode = code
  } catch (error) {
    if (!signal.aborted) throw error
    process.exitCode = interruptedCode
  } finally {
    display.stop()
  }
}

async function openJob(id: string, flags: object): Promise<JobHandle> {
  const { jobs } = await openServer(flags)
  return await jobs.get(id)
}

async function openServer(
  flags: object,
): Promise<{ jobs: ReturnType<typeof createClient>['jobs']; ask: ReturnType<typeof createAsk> }> {
  const socketPath = await findServer({ ...flags })
  const { jobs } = createClient({
    baseUrl: 'http://localhost',
    retries: 0,
    // Bun would give up after five minutes in which nothing comes.
    fetch: (url, init) => {
      const options: object = { ...init, unix: socketPath, timeout: false }
      return fetch(url, options)
    },
  })
  return { jobs, ask: createAsk({ socketPath }) }
}

/** @throws {InvalidArgumentError} */
function parseCount(text: string): number {
  const count = Number(text)
  if (/^[1-9]\d{0,3}$/.test(text) && count <= 1_000) return count
  throw new InvalidArgumentError('It must be a whole number from 1 to 1000.')
}
