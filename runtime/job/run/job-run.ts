import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ActionProgram } from '../../define/action.ts'
import type { ActionContext } from '../../define/action-context.ts'
import type { FunctionLog } from '../../define/context.ts'
import type { Definition } from '../../define/definition.ts'
import { namedModelId } from '../../define/model-id.ts'
import type { Step } from '../../define/step.ts'
import type { Engine } from '../../engine/engine.ts'
import { IsoplexError, isIsoplexError } from '../../error/error.ts'
import type { InputFetch } from '../../runner/call.ts'
import { createDecoder } from '../../runner/decoder.ts'
import type { FunctionHandles } from '../../runner/function-handles.ts'
import type { ActionHost, ActionOrder } from '../message.ts'
import type { JobEnd } from '../store.ts'
import { type ContextMaker, createContextMaker } from './context.ts'
import type { ContextExtension, ExtendContext } from './context-extension.ts'
import { interruption, isLeaseLost, jobFailure } from './failure.ts'
import { createJobHandles } from './job-handles.ts'
import { runSteps } from './orchestrator.ts'
import { keepOrder } from './orderly-host.ts'
import { ProgressMeter } from './progress.ts'
import { Reporter } from './reporter.ts'
import { createResultWriter, type ResultWriter } from './result-writer.ts'
import { leftAsTheyAre } from './rollback.ts'
import type { StepsEnd } from './step-run.ts'

/** What one job is run with. */
export interface JobRunOptions {
  readonly order: ActionOrder
  /** Imports the action. */
  readonly load: () => Promise<Definition>
  readonly host: ActionHost
  readonly engine: Engine
  readonly fetchInput: InputFetch
  /** Makes what the contexts of some actions have beside what all have. @default nothing */
  readonly extend?: ExtendContext
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
  readonly reporter: Reporter
  readonly makeContext: ContextMaker
  readonly extension: ContextExtension | null
  readonly writeResult: ResultWriter
  /** Tells the host that the job has succeeded. What it refuses, such as a result that is too large, is a failure. */
  readonly succeed: (result: JobEnd['result']) => Promise<void>
}

/**
 * Runs one job, or goes on with it, and tells its host how it has ended. What the action throws is the job's failure.
 *
 * @throws {IsoplexError} what keeps the host from being told: `LEASE_LOST` where another server goes on with the job.
 */
export async function runJob(options: JobRunOptions): Promise<void> {
  const { order, host, engine, fetchInput, log } = options
  const prepareModel = (id: string): ReturnType<ActionHost['prepareModel']> => host.prepareModel(id)
  const handles = createJobHandles({ prepareModel, engine, log, fetchInput, modelId: order.modelId })
  try {
    const { end, cause } = await perform(options, handles)
    if (end.state === 'succeeded') return
    if (cause !== null) logFailure(options, end, cause)
    await host.finish(end)
  } finally {
    await handles.dispose()
  }
}

/** Does the job's work. Where that has succeeded the host has been told so. */
async function perform(options: JobRunOptions, handles: FunctionHandles): Promise<StepsEnd> {
  let job: RunningJob
  try {
    job = await openJob(options, handles)
  } catch (error) {
    return endUnopened(options, error)
  }
  const { program, reporter } = job
  try {
    return await (program.steps === null ? execute(job) : goThroughSteps(job, program.steps))
  } finally {
    await reporter.flush()
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

function createProgress({ order, log }: JobRunOptions, { weights }: ActionProgram): ProgressMeter {
  return new ProgressMeter({
    weights,
    from: order.overall,
    strict: order.strict,
    onCorrection: (message) => log.warn(message, { function: order.function, jobId: order.jobId }),
  })
}

function createReporter({ order, host, log }: JobRunOptions, progress: ProgressMeter): Reporter {
  return new Reporter({
    send: (report) => host.report(report),
    progress: () => progress.snapshot(),
    metrics: order.metrics,
    refused: (error) => log.warn('A report of a job was refused', { jobId: order.jobId, error }),
  })
}

async function openJob(options: JobRunOptions, handles: FunctionHandles): Promise<RunningJob> {
  const { order, host, signal } = options
  const { program, params } = await readJob(options)
  const progress = createProgress(options, program)
  const reporter = createReporter(options, progress)
  const [scratch, outgoing] = await makeFolders(order.workDirectory)
  const orderly = keepOrder(host, reporter)
  const parts = { program, params, handles, progress, reporter }
  const extension = (await options.extend?.({ program, params, host: orderly })) ?? null
  return {
    options,
    program,
    params,
    progress,
    reporter,
    host: orderly,
    makeContext: createContextMaker({ ...options, ...parts, host: orderly, scratch, outgoing }),
    extension,
    writeResult: createResultWriter({
      schema: program.result,
      directory: outgoing,
      signal,
      maxBytes: order.maxJobBytes,
    }),
    async succeed(result) {
      await reporter.flush()
      await host.finish({ state: 'succeeded', error: null, result })
    },
  }
}

async function makeFolders(directory: string): Promise<readonly [scratch: string, outgoing: string]> {
  const folders = [join(directory, 'scratch'), join(directory, 'outgoing')] as const
  for (const folder of folders) await mkdir(folder, { recursive: true })
  return folders
}

async function execute(job: RunningJob): Promise<StepsEnd> {
  const { order } = job.options
  if (order.pendingEnd !== null) return { end: { ...order.pendingEnd, result: null }, cause: null }
  try {
    const result = await produce(job)
    return { end: { state: 'succeeded', error: null, result }, cause: null }
  } catch (error) {
    if (isLeaseLost(error)) throw error
    return endOf(job.options, error)
  }
}

/** Does all the work of an action without steps, and tells the host of its result. */
async function produce(job: RunningJob): Promise<JobEnd['result']> {
  const { options, program, writeResult, succeed } = job
  const { signal, mishap } = options
  const work = async (): Promise<JobEnd['result']> => {
    signal.throwIfAborted()
    const returned = await program.execute?.(makeSoleContext(job))
    signal.throwIfAborted()
    return writeResult(returned)
  }
  const result = await Promise.race([work(), mishap])
  signal.throwIfAborted()
  await succeed(result)
  return result
}

/** The context of an action without steps. */
function makeSoleContext({ makeContext, extension, params }: RunningJob): ActionContext {
  const context = makeContext(null)
  if (extension === null) return context
  const model = { modelId: namedModelId(params), model: null, modelPath: null }
  Object.assign(context, model, extension.fields)
  return Object.assign(context, extension.members(context, null))
}

function goThroughSteps(job: RunningJob, steps: readonly Step[]): Promise<StepsEnd> {
  const { options, program, params, host, progress, makeContext, extension, writeResult, succeed } = job
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
    extension,
    onRollbackError: (message, error) =>
      log.error(message, { function: order.function, jobId: order.jobId, error }),
    async keepResult(value) {
      const result = await Promise.race([writeResult(value), mishap])
      signal.throwIfAborted()
      await succeed(result)
      return result
    },
  })
}

function endOf({ order, signal }: JobRunOptions, error: unknown): StepsEnd {
  const failure = signal.aborted ? interruption(signal, null) : jobFailure(error, order.strict)
  return { end: { ...failure.pendingEnd, result: null }, cause: failure.cause }
}

/** The end of a job whose action cannot be gone on with here. Without the action nothing can be rolled back. */
function endUnopened(options: JobRunOptions, error: unknown): StepsEnd {
  const { order } = options
  const { end, cause } = endOf(options, error)
  const { state, error: why } = order.pendingEnd ?? end
  const rollbackErrors = [...(why?.rollbackErrors ?? []), ...leftAsTheyAre(order, error)]
  return { end: { state, error: why && { ...why, rollbackErrors }, result: null }, cause }
}

/** What its submitter is not shown must be found in the log. */
function logFailure({ order, log }: JobRunOptions, { state }: JobEnd, cause: Error): void {
  if (state !== 'failed' || (isIsoplexError(cause) && cause.status < 500)) return
  log.error('A job failed', { function: order.function, jobId: order.jobId, error: cause })
}
