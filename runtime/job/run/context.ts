import type { ActionProgram } from '../../define/action.ts'
import type { ActionContext, InferOptions } from '../../define/action-context.ts'
import type { FunctionLog } from '../../define/context.ts'
import type { AnyIterable } from '../../define/handle.ts'
import { assertCount } from '../../define/options.ts'
import type { Engine, Session, SessionOptions } from '../../engine/engine.ts'
import { inferInBatches } from '../../runner/batched-inference.ts'
import type { InputFetch } from '../../runner/call.ts'
import type { FunctionHandles } from '../../runner/function-handles.ts'
import { loadFailure } from '../../runner/load-failure.ts'
import type { ActionHost, ActionOrder } from '../message.ts'
import { createCheckpoint } from './checkpoint.ts'
import { createJobFiles } from './job-files.ts'
import { openJobHandles } from './job-handles.ts'
import { copyModel } from './model-copy.ts'
import type { ProgressMeter } from './progress.ts'
import type { Reporter } from './reporter.ts'
import type { ContextPlace } from './step-run.ts'

/** What all contexts of one job share. */
export interface ContextParts {
  readonly program: ActionProgram
  readonly order: ActionOrder
  readonly params: unknown
  readonly host: ActionHost
  readonly engine: Engine
  readonly handles: FunctionHandles
  readonly fetchInput: InputFetch
  readonly log: FunctionLog
  readonly progress: ProgressMeter
  readonly reporter: Reporter
  /** Fires when the job is to end. */
  readonly signal: AbortSignal
  /** The folder that is the action's own, and the one for files on their way. */
  readonly scratch: string
  readonly outgoing: string
}

/** Makes the context of a place; `null` is an action without steps. */
export type ContextMaker = (place: ContextPlace | null) => ActionContext

/**
 * Makes what makes the contexts of a job: one for an action without steps, else one for each place, in which what the
 * action reports is about its step. All of a context are own properties, so that it can be taken apart and spread.
 */
export function createContextMaker(parts: ContextParts): ContextMaker {
  const { order, host, outgoing, scratch } = parts
  const files = createJobFiles({ host, directory: outgoing, maxBytes: order.maxJobBytes })
  // What a step saved is still there for its rollback.
  const checkpoints = new Map<string | null, ActionContext['checkpoint']>([
    [order.runningStep?.name ?? null, createCheckpoint(host, order.checkpoint)],
  ])
  return (place) => {
    const step = place === null || place.phase === 'conclude' ? null : place.step.name
    const checkpoint = checkpoints.get(step) ?? createCheckpoint(host, undefined)
    checkpoints.set(step, checkpoint)
    const category = step ?? (place === null ? categoryOf(parts.program) : usualCategory)
    // Cancelling is what leads to a rollback: it must not cut it short.
    const signal = place?.phase === 'rollback' ? new AbortController().signal : parts.signal
    const context: ActionContext = {
      params: parts.params,
      jobId: order.jobId,
      principal: order.principal,
      attempt: order.attempt,
      signal,
      directory: scratch,
      files,
      checkpoint,
      ...createModelMembers(parts),
      ...createReportMembers(parts, category),
      handle: openJobHandles(parts.handles, order, signal),
      infer: <In, Out>(inputs: AnyIterable<In>, options: InferOptions<In, Out> = {}) =>
        infer({ parts, signal, category, context: () => context }, inputs, options),
      fetchInput: async (url, options = {}) => parts.fetchInput(url, options, signal),
    }
    return context
  }
}

type ModelMembers = Pick<ActionContext, 'getModel' | 'downloadModel' | 'loadModel' | 'session'>

function createModelMembers({ order, host, engine, scratch, log }: ContextParts): ModelMembers {
  return {
    getModel: (modelId) => host.describeModel(modelId),
    loadModel: (modelId) => host.prepareModel(modelId),
    async downloadModel(modelId, directory) {
      const { path } = await host.prepareModel(modelId)
      return copyModel(path, { directory, scratch })
    },
    async session(modelId, options = {}): Promise<Session> {
      const { file = 'model.onnx', ...wishes }: SessionOptions & { readonly file?: string } = options
      const { path } = await host.prepareModel(modelId)
      try {
        return await engine.load(`${path}/${file}`, wishes)
      } catch (error) {
        log.error('A model could not be loaded', { function: order.function, model: modelId, error })
        throw loadFailure(error, { name: order.function, model: modelId, log: "the server's log" })
      }
    },
  }
}

type ReportMembers = Pick<ActionContext, 'setProgress' | 'setMetrics' | 'log' | 'logMessage'>

function createReportMembers({ progress, reporter }: ContextParts, usual: string): ReportMembers {
  return {
    setProgress(current, total, category = usual) {
      progress.report(current, total, category)
      reporter.progressed()
    },
    setMetrics: (values, category = usual) => reporter.measure(values, category),
    log: (event, data = {}) => reporter.tell('log', { event, data }),
    logMessage: (message, level = 'info') => reporter.tell('message', { level, message }),
  }
}

const usualCategory = 'inference'

/** The category of what an action without steps reports without one. */
function categoryOf({ weights }: ActionProgram): string {
  const [first = usualCategory] = Object.keys(weights)
  return Object.hasOwn(weights, usualCategory) ? usualCategory : first
}

interface InferPlace {
  readonly parts: ContextParts
  readonly signal: AbortSignal
  /** Under which its progress is reported where it is not told. */
  readonly category: string
  readonly context: () => ActionContext
}

function infer<Input, Output>(
  { parts: { program, progress, reporter }, signal, category: usual, context }: InferPlace,
  inputs: AnyIterable<Input>,
  options: InferOptions<Input, Output>,
): AsyncIterable<Output> {
  const { handle, total, category = usual, batchSize = program.batchSize } = options
  assertCount('batchSize', batchSize)
  const own = program.infer
  if (!handle && !own) throw new TypeError('The action has no "infer" of its own; give infer() a "handle".')
  const answers = handle
    ? handle.inferAll(inputs)
    : inferInBatches<Input, Output>(inputs, {
        batchSize,
        async answer(batch) {
          signal.throwIfAborted()
          // The types of the action promise that it takes these and gives those.
          return (await own?.(batch, context())) as readonly Output[]
        },
      })
  if (total === undefined) return answers
  return counted(answers, (done) => {
    progress.report(done, total, category)
    reporter.progressed()
  })
}

async function* counted<Value>(
  values: AsyncIterable<Value>,
  report: (done: number) => void,
): AsyncGenerator<Value, void, undefined> {
  let done = 0
  for await (const value of values) {
    done += 1
    report(done)
    yield value
  }
}
