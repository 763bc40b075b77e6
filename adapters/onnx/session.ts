import type { InferenceSession } from 'onnxruntime-common'
import type { Provider, Session, TensorFacts, Tensors } from '../../runtime/engine/engine.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import type { Exclusion } from './exclusion.ts'
import { describeFailure } from './failure.ts'
import { findDisagreement, validateFeeds } from './feeds.ts'
import { toTensorFacts } from './metadata.ts'
import { fromOnnxTensor, toOnnxValue } from './value.ts'

/** A session of ONNX Runtime as the engine's contract wants it: checked, disposed once. */
export class OnnxSession implements Session {
  readonly inputs: readonly TensorFacts[]
  readonly outputs: readonly TensorFacts[]
  readonly provider: Provider
  readonly #session: InferenceSession
  readonly #exclusive: Exclusion
  readonly #running = new Set<Promise<unknown>>()
  #disposal: Promise<void> | undefined

  /** @throws {Error} where an input or output cannot be exchanged; the caller still owns `session`. */
  constructor(session: InferenceSession, provider: Provider, exclusive: Exclusion) {
    this.inputs = toTensorFacts('input', session.inputMetadata)
    this.outputs = toTensorFacts('output', session.outputMetadata)
    this.provider = provider
    this.#session = session
    this.#exclusive = exclusive
  }

  async run(feeds: Tensors): Promise<Tensors> {
    if (this.#disposal !== undefined)
      throw new TypeError('The session has been disposed; load the model again.')
    const fitting = validateFeeds(this.inputs, feeds)
    const values = Object.fromEntries(fitting.map(([name, feed]) => [name, toOnnxValue(feed)]))
    const running = this.#exclusive(() => this.#session.run(values))
    this.#running.add(running)
    try {
      return toTensors(this.outputs, await running)
    } catch (error) {
      throw findDisagreement(this.inputs, feeds) ?? runFailure(error)
    } finally {
      this.#running.delete(running)
    }
  }

  dispose(): Promise<void> {
    this.#disposal ??= this.#release()
    return this.#disposal
  }

  async #release(): Promise<void> {
    await Promise.allSettled(this.#running)
    await this.#exclusive(() => this.#session.release())
  }
}

function toTensors(outputs: readonly TensorFacts[], results: InferenceSession.ReturnType): Tensors {
  return Object.fromEntries(
    outputs.map(({ name }) => {
      const value = results[name]
      if (value === undefined) throw new Error(`it gave no output "${name}"`)
      return [name, fromOnnxTensor(value)]
    }),
  )
}

function runFailure(error: unknown): IsoplexError<'INFERENCE_FAILED'> {
  return new IsoplexError(
    'INFERENCE_FAILED',
    `The model failed on these inputs: ${describeFailure(error)}.`,
    {
      cause: error,
    },
  )
}
