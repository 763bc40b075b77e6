import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ActionProgram } from '../../define/action.ts'
import type { FunctionLog } from '../../define/context.ts'
import type { Definition } from '../../define/definition.ts'
import type { Step } from '../../define/step.ts'
import type { Engine } from '../../engine/engine.ts'
import { IsoplexError, isIsoplexError } from '../../error/error.ts'
import type { InputFetch } from '../../runner/call.ts'
import { createDecoder } from '../../runner/decoder.ts'
import type { ActionHost, ActionOrder } from '../message.ts'
import type { JobEnd } from '../store.ts'
import { type ContextMaker, createContextMaker } from './context.ts'
import { interruption, isLeaseLost, jobFailure } from './failure.ts'
import { FunctionHandles } from './function-handles.ts'
import { runSteps } from './orchestrator.ts'
import { ProgressMeter } from './progress.ts'
import { Reporter } from './reporter.ts'
import { createResultWriter, type ResultWriter } from './result-writer.ts'
import type { StepsEnd } from './step-run.ts'

/** What one job is run with. */
export interface JobRunOptions {
  readonly order: ActionOrder
  /** Imports the action. */
  readonly load: () => Promise<Definition>
  readonly host: ActionHost
  readonly engine: Engine
  readonly fetchInput: InputFetch
  readonly log: FunctionLog
  /** Fires when the job is to end; its reason is the error that says why. */
  readonly signal: AbortSignal
  /** Rejects with what user code has thrown where nobody listens; it fails what runs then. */
  readonly mishap: Promise<never>
}

/** A job in this process: its action, and what its contexts are made of. */
interface RunningJob {
  readonly options: JobRunOptions
  readonly program: ActionProgram
  readonly params: unknown
  readonly host: ActionHost
  readonly progress: ProgressMeter
  readonly makeContext: ContextMaker
  readonly writeResult: ResultWriter
}

/**
 * Runs one job, or goes on with it, and tells its host how it has ended. What the action throws is the job's failure.
 *
 * @throws {IsoplexError} what keeps the host from being told: `LEASE_LOST` where another server goes on with the job.
 */
export async function runJob(options: JobRunOptions): Promise<void> {
  const { order, host, engine, fetchInput, log } = options
  const { head, modelId } = order
  const prepareModel = (id: string): ReturnType<ActionHost['prepareModel']> => host.prepareModel(id)
  const handles = new FunctionHandles({ prepareModel, engine, log, fetchInput, head, modelId })
  try {
    const { end, cause } = await perform(options, handles)
    logFailure(options, end, cause)
    await finish(options, end)
  } finally {
    await handles.dispose()
  }
}

async function perform(options: JobRunOptions, handles: FunctionHandles): Promise<StepsEnd> {
  const { order, host, signal, log } = options
  let reporter: Reporter | null = null
  try {
    const { program, params } = await readJob(options)
    const [scratch, outgoing] = await makeFolders(order.workDirectory)
    const progress = new ProgressMeter({
      weights: program.weights,
      from: order.overall,
      strict: order.strict,
      onCorrection: (message) => log.warn(message, { function: order.function, jobId: order.jobId }),
    })
    reporter = new Reporter({
      send: (report) => host.report(report),
      progress: () => progress.snapshot(),
      metrics: order.metrics,
      refused: (error) => log.warn('A report of a job was refused', { jobId: order.jobId, error }),
    })
    const parts = { ...options, program, params, handles, progress, reporter, scratch, outgoing }
    const makeContext = createContextMaker(parts)
    const writeResult = createResultWriter({ schema: program.result, directory: outgoing, signal })
    const telling = tellSteps(host, reporter)
    const job = { options, program, params, host: telling, progress, makeContext, writeResult }
    return await (program.steps === null ? execute(job) : goThroughSteps(job, program.steps))
  } catch (error) {
    if (isLeaseLost(error)) throw error
    return endOf(options, error)
  } finally {
    await reporter?.flush()
  }
}

/** The action, and the parameters as the runner that admitted the job has read them. */
async function readJob({
  order,
  load,
}: JobRunOptions): Promise<{ readonly program: ActionProgram; readonly params: unknown }> {
  const definition = await load()
  const { action: program } = definition
  if (!program) {
    throw new IsoplexError('FUNCTION_BROKEN', `Function "${order.function}" is no action (any more).`)
  }
  const body = new Uint8Array(await readFile(order.inputPath))
  return { program, params: createDecoder(definition)(order.head, body).input }
}

async function makeFolders(directory: string): Promise<readonly [scratch: string, outgoing: string]> {
  const folders = [join(directory, 'scratch'), join(directory, 'outgoing')] as const
  for (const folder of folders) await mkdir(folder, { recursive: true })
  return folders
}

async function execute({ options, program, makeContext, writeResult }: RunningJob): Promise<StepsEnd> {
  const { order, signal, mishap } = options
  if (order.pendingEnd !== null) return { end: { ...order.pendingEnd, result: null }, cause: null }
  const work = async (): Promise<JobEnd['result']> => {
    signal.throwIfAborted()
    const returned = await program.execute?.(makeContext(null))
    signal.throwIfAborted()
    return writeResult(returned)
  }
  const result = await Promise.race([work(), mishap])
  signal.throwIfAborted()
  return { end: { state: 'succeeded', error: null, result }, cause: null }
}

function goThroughSteps(job: RunningJob, steps: readonly Step[]): Promise<StepsEnd> {
  const { options, program, params, host, progress, makeContext, writeResult } = job
  const { order, signal, log, mishap } = options
  const { conclude } = program
  return runSteps({
    steps: steps.map((step) => ({
      ...step,
      execute: async (context) => (await Promise.race([step.execute(context), mishap])) ?? undefined,
    })),
    conclude: conclude && ((context) => Promise.race([conclude(context), mishap])),
    batchSize: program.batchSize,
    params,
    host,
    order,
    signal,
    progress,
    strict: order.strict,
    makeContext,
    onRollbackError: (message, error) =>
      log.error(message, { function: order.function, jobId: order.jobId, error }),
    keepResult: (value) => Promise.race([writeResult(value), mishap]),
  })
}

/** A host that tells the reporter of what moves the progress of steps. */
function tellSteps(host: ActionHost, reporter: Reporter): ActionHost {
  return {
    ...host,
    async beginStep(name) {
      const running = await host.beginStep(name)
      reporter.progressed()
      return running
    },
    async recordStep(...parameters) {
      await host.recordStep(...parameters)
      reporter.progressed()
    },
  }
}

function endOf({ order, signal }: JobRunOptions, error: unknown): StepsEnd {
  const failure = signal.aborted ? interruption(signal, null) : jobFailure(error, order.strict)
  return { end: { ...failure.pendingEnd, result: null }, cause: failure.cause }
}

/** What its submitter is not shown must be found in the log. */
function logFailure({ order, log }: JobRunOptions, end: JobEnd, cause: Error | null): void {
  if (cause === null || end.state !== 'failed' || (isIsoplexError(cause) && cause.status < 500)) return
  log.error('A job failed', { function: order.function, jobId: order.jobId, error: cause })
}

/** Tells the host the end; where it cannot take a result, such as one that is too large, the job has failed. */
async function finish(options: JobRunOptions, end: JobEnd): Promise<void> {
  try {
    await options.host.finish(end)
  } catch (error) {
    if (end.state !== 'succeeded' || isLeaseLost(error)) throw error
    const failed = jobFailure(error, options.order.strict)
    logFailure(options, { ...failed.pendingEnd, result: null }, failed.cause)
    await options.host.finish({ ...failed.pendingEnd, result: null })
  }
}
