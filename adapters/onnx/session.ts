import type { InferenceSession, Tensor as OnnxTensor, OnnxValue } from 'onnxruntime-common'
import { type DeviceTensor, holdTensor } from '../../runtime/engine/device-tensor.ts'
import type { Answers, Feeds, Provider, Session, TensorFacts } from '../../runtime/engine/engine.ts'
import type { Tensor } from '../../runtime/engine/tensor.ts'
import { IsoplexError, isIsoplexError } from '../../runtime/error/error.ts'
import { deviceValueOf, toDeviceTensor } from './device-value.ts'
import type { Exclusion } from './exclusion.ts'
import { describeFailure } from './failure.ts'
import { type FittingFeeds, findDisagreement, validateFeeds } from './feeds.ts'
import { toTensorFacts } from './metadata.ts'
import { fromOnnxTensor, toOnnxValue } from './value.ts'

/** What is used of a session of ONNX Runtime. */
export type RuntimeSession = Pick<InferenceSession, 'inputMetadata' | 'outputMetadata' | 'release'> & {
  run(feeds: InferenceSession.OnnxValueMapType): Promise<InferenceSession.ReturnType>
}

/** What a session of ONNX Runtime is and may do. */
export interface OnnxSessionFacts<DeviceName extends string> {
  readonly provider: Provider
  /** Around every call of the runtime. */
  readonly exclusive: Exclusion
  /** The outputs that are given as device tensors. */
  readonly deviceOutputs: readonly DeviceName[]
}

/** A session of ONNX Runtime as the engine's contract wants it: checked, disposed once. */
export class OnnxSession<DeviceName extends string = never> implements Session<DeviceName> {
  readonly inputs: readonly TensorFacts[]
  readonly outputs: readonly TensorFacts[]
  readonly provider: Provider
  readonly #session: RuntimeSession
  readonly #exclusive: Exclusion
  readonly #deviceOutputs: ReadonlySet<string>
  readonly #running = new Set<Promise<unknown>>()
  readonly #deviceTensors = new Set<DeviceTensor>()
  #disposal: Promise<void> | undefined

  /**
   * @throws {Error} where an input or output cannot be exchanged, or an output to be left on the device is
   * missing; the caller still owns `session`.
   */
  constructor(session: RuntimeSession, facts: OnnxSessionFacts<DeviceName>) {
    this.inputs = toTensorFacts('input', session.inputMetadata)
    this.outputs = toTensorFacts('output', session.outputMetadata)
    this.provider = facts.provider
    this.#session = session
    this.#exclusive = facts.exclusive
    this.#deviceOutputs = new Set(facts.deviceOutputs)
    assertNamed(this.#deviceOutputs, this.outputs)
  }

  async run(feeds: Feeds): Promise<Answers<DeviceName>> {
    if (this.#disposal !== undefined) throw disposedSession()
    const running = this.#answer(validateFeeds(this.inputs, feeds))
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  dispose(): Promise<void> {
    this.#disposal ??= this.#release()
    return this.#disposal
  }

  async #answer(feeds: FittingFeeds): Promise<Answers<DeviceName>> {
    const values: Record<string, OnnxValue> = {}
    for (const [name, feed] of feeds) {
      values[name] = 'data' in feed ? toOnnxValue(feed) : await this.#place(feed)
    }
    try {
      return this.#toAnswers(await this.#exclusive(() => this.#session.run(values)))
    } catch (error) {
      if (isIsoplexError(error)) throw error
      throw findDisagreement(this.inputs, Object.fromEntries(feeds)) ?? runFailure(error)
    }
  }

  async #place(feed: DeviceTensor): Promise<OnnxValue> {
    const value = this.provider === 'webgpu' ? deviceValueOf(feed) : undefined
    return value ?? toOnnxValue(await feed.read())
  }

  #toAnswers(results: InferenceSession.ReturnType): Answers<DeviceName> {
    const answers = this.outputs.map(({ name }) => {
      const value = results[name]
      if (value === undefined) throw new Error(`it gave no output "${name}"`)
      return [name, this.#deviceOutputs.has(name) ? this.#keep(value) : fromOnnxTensor(value)] as const
    })
    // Which of them are device tensors was decided by the very names of the type.
    return Object.fromEntries<Tensor | DeviceTensor>(answers) as Answers<DeviceName>
  }

  #keep(value: OnnxTensor): DeviceTensor {
    const forget = (): void => void this.#deviceTensors.delete(tensor)
    const tensor: DeviceTensor =
      value.location === 'cpu'
        ? holdTensor(fromOnnxTensor(value), forget)
        : toDeviceTensor(value, this.#exclusive, forget)
    this.#deviceTensors.add(tensor)
    return tensor
  }

  async #release(): Promise<void> {
    await Promise.allSettled(this.#running)
    try {
      await Promise.all([...this.#deviceTensors].map((tensor) => tensor.dispose()))
      await this.#exclusive(() => this.#session.release())
    } catch (error) {
      // Of ours it is about what is lost, and the memory with it.
      if (!isIsoplexError(error)) throw error
    }
  }
}

/** What running a session is refused with once it has been disposed of. */
export function disposedSession(): TypeError {
  return new TypeError('The session has been disposed; load the model again.')
}

function assertNamed(names: ReadonlySet<string>, outputs: readonly TensorFacts[]): void {
  for (const name of names) {
    if (outputs.some((output) => output.name === name)) continue
    const known = outputs.map((output) => `"${output.name}"`).join(', ')
    throw new Error(`it has no output "${name}" to be left on the device; its outputs are ${known}`)
  }
}

function runFailure(error: unknown): IsoplexError<'INFERENCE_FAILED'> {
  return new IsoplexError(
    'INFERENCE_FAILED',
    `The model failed on these inputs: ${describeFailure(error)}.`,
    { cause: error },
  )
}
