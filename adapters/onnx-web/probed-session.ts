import { isDeviceTensor } from '../../runtime/engine/device-tensor.ts'
import type { Answers, Feeds, Provider, Session, TensorFacts } from '../../runtime/engine/engine.ts'
import type { Tensor } from '../../runtime/engine/tensor.ts'
import { type AnyIsoplexError, isIsoplexError } from '../../runtime/error/error.ts'
import { createExclusion } from '../onnx/exclusion.ts'
import { disposedSession } from '../onnx/session.ts'
import { findDeviation } from './agreement.ts'
import type { Verdict } from './verdict.ts'

/** So many feeds of one value each may go by before what agrees on them is taken to agree. */
const mostFlatProbes = 3

/** What a session is proven with. */
export interface Probe<DeviceName extends string> {
  /** Loads the model where its answers are right. */
  openReference(): Promise<Session<DeviceName>>
  /**
   * Takes the verdict. It gives the error that the session is to answer with from now on, where the reference may
   * not answer in its place.
   */
  conclude(verdict: Verdict): Promise<AnyIsoplexError | null>
}

/**
 * A session whose first answers are compared with those of a reference, which takes its place where they differ.
 * Feeds that the reference fails on too prove nothing, and feeds of one value each, as warm-ups often are, little: most
 * kernels that are wrong are right on zeros. Then the next feeds are compared as well.
 */
export class ProbedSession<DeviceName extends string> implements Session<DeviceName> {
  readonly inputs: readonly TensorFacts[]
  readonly outputs: readonly TensorFacts[]
  readonly #proving = createExclusion()
  readonly #running = new Set<Promise<unknown>>()
  #session: Session<DeviceName>
  /** `null` once it has been used: it holds the model's bytes. */
  #probe: Probe<DeviceName> | null
  #flatProbes = 0
  #refusal: AnyIsoplexError | null = null
  #disposal: Promise<void> | undefined

  constructor(session: Session<DeviceName>, probe: Probe<DeviceName>) {
    this.inputs = session.inputs
    this.outputs = session.outputs
    this.#session = session
    this.#probe = probe
  }

  get provider(): Provider {
    return this.#session.provider
  }

  async run(feeds: Feeds): Promise<Answers<DeviceName>> {
    if (this.#disposal !== undefined) throw disposedSession()
    if (this.#probe === null) return this.#answer(feeds)
    const running = this.#proving(async () => this.#probe && this.#prove(feeds, this.#probe)).then(
      (answers) => answers ?? this.#answer(feeds),
    )
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  dispose(): Promise<void> {
    this.#disposal ??= Promise.allSettled(this.#running).then(() => this.#session.dispose())
    return this.#disposal
  }

  #answer(feeds: Feeds): Promise<Answers<DeviceName>> {
    return this.#refusal === null ? this.#session.run(feeds) : Promise.reject(this.#refusal)
  }

  async #prove(feeds: Feeds, probe: Probe<DeviceName>): Promise<Answers<DeviceName>> {
    const [own] = await Promise.allSettled([this.#session.run(feeds)])
    if (own.status === 'rejected' && !isInferenceFailure(own.reason)) throw own.reason
    const [opening] = await Promise.allSettled([probe.openReference()])
    if (opening.status === 'fulfilled') return this.#compare(feeds, own, opening.value, probe)
    if (own.status === 'rejected') throw own.reason
    if (isLoss(opening.reason)) throw opening.reason
    // There is nothing to compare with, such as for a model whose operators the reference lacks.
    this.#probe = null
    return own.value
  }

  async #compare(
    feeds: Feeds,
    own: PromiseSettledResult<Answers<DeviceName>>,
    reference: Session<DeviceName>,
    probe: Probe<DeviceName>,
  ): Promise<Answers<DeviceName>> {
    let spare: Session<DeviceName> = reference
    try {
      const expected = await reference.run(feeds)
      const fault = await faultOf(own, expected)
      const agrees = own.status === 'fulfilled' && fault === null
      if (agrees && isFlat(feeds) && this.#flatProbes++ < mostFlatProbes) return own.value
      this.#refusal = await probe.conclude({ agrees: fault === null, reason: fault })
      if (fault !== null && this.#refusal === null) {
        spare = this.#session
        this.#session = reference
      }
      this.#probe = null
      if (this.#refusal !== null) throw this.#refusal
      return agrees ? own.value : expected
    } finally {
      await spare.dispose()
    }
  }
}

async function faultOf(own: PromiseSettledResult<Feeds>, expected: Feeds): Promise<string | null> {
  if (own.status === 'rejected') return `webgpu fails on what wasm computes. ${own.reason.message}`
  const deviation = await findDeviation(own.value, expected)
  return deviation === null ? null : `webgpu and wasm differ: ${deviation}.`
}

/** Whether no feed of several elements has two that differ, where there are such feeds. */
function isFlat(feeds: Feeds): boolean {
  const several = Object.values(feeds).filter((feed) => isDeviceTensor(feed) || feed.data.length > 1)
  return several.length > 0 && several.every((feed) => !isDeviceTensor(feed) && hasOneValue(feed))
}

function hasOneValue({ data }: Tensor): boolean {
  const elements: ArrayLike<unknown> = data
  for (let position = 1; position < elements.length; position++) {
    if (elements[position] !== elements[0]) return false
  }
  return true
}

function isInferenceFailure(error: unknown): boolean {
  return isIsoplexError(error) && error.code === 'INFERENCE_FAILED'
}

function isLoss(error: unknown): boolean {
  return isIsoplexError(error) && error.code === 'DEVICE_LOST'
}
