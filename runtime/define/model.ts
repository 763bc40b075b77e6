import type { DeviceTensor } from '../engine/device-tensor.ts'
import type { Answers, Engine, Provider, Session, SessionOptions, TensorFacts } from '../engine/engine.ts'
import { formatShape, type Tensor } from '../engine/tensor.ts'
import { IsoplexError } from '../error/error.ts'
import type { Awaitable, ModelInfo } from './context.ts'
import { assertCallable, assertCount } from './options.ts'

/** How a function gets its model: made by {@link onnx} or {@link multiplexed}. */
export interface ModelLoader<Model> {
  /** Loads the model of one artifact. */
  load(info: ModelInfo, engine: Engine): Awaitable<Model>
  /** Frees it; runs once for each loaded model. */
  unload(model: Model): Awaitable<void>
  /** The id of the model that answers where a request needs no token and brings none. */
  readonly default?: string
  /** How many models of this function one replica keeps. */
  readonly maxModelsPerReplica?: number
}

/** What {@link multiplexed} takes beside the loader. */
export interface MultiplexedOptions<Model> {
  /** How many models of this function one replica keeps; least recently used goes first. @default 3 */
  readonly maxModelsPerReplica?: number
  /** Frees a model. It runs once for each loaded model, when no request uses it. @default nothing */
  readonly unload?: (model: Model) => Awaitable<void>
  /** The id of the model that answers where a request needs no token and brings none. @default none */
  readonly default?: string
}

/**
 * Any asynchronous loader as the model of a function. It runs once for each model that a runner holds;
 * `info.path` is the folder of the unpacked artifact.
 *
 * @example
 * model: multiplexed(async (info, engine) => ({
 *   encoder: await engine.load(`${info.path}/encoder.onnx`),
 *   decoder: await engine.load(`${info.path}/decoder.onnx`),
 * }), { unload: async ({ encoder, decoder }) => { await encoder.dispose(); await decoder.dispose() } })
 *
 * @throws {TypeError} where an option is outside its bounds.
 */
export function multiplexed<Model>(
  load: (info: ModelInfo, engine: Engine) => Awaitable<Model>,
  options: MultiplexedOptions<Model> = {},
): ModelLoader<Model> {
  const { unload = () => undefined, maxModelsPerReplica } = options
  assertCallable('load', load)
  assertCallable('unload', unload)
  if (maxModelsPerReplica !== undefined) assertCount('maxModelsPerReplica', maxModelsPerReplica)
  return Object.freeze({ ...options, unload, load })
}

/** What {@link onnx} takes: where the file is, what it must offer, and how its session is made. */
export interface OnnxOptions<
  InputName extends string,
  OutputName extends string,
  DeviceName extends string = never,
> extends SessionOptions<DeviceName> {
  /** The file within the model's artifact. A lone `.onnx` artifact is unpacked as `model.onnx`. @default 'model.onnx' */
  readonly file?: string
  /** The id of the model that answers where a request needs no token and brings none. @default none */
  readonly default?: string
  /** How many models of this function one replica keeps; least recently used goes first. @default 3 */
  readonly maxModelsPerReplica?: number
  /** The inputs that the function feeds. A model without one of them is refused at load. @default not checked */
  readonly inputs?: readonly InputName[]
  /** The outputs that the function reads. A model without one of them is refused at load. @default not checked */
  readonly outputs?: readonly OutputName[]
}

/** What a model gives, by the names of its outputs where the function has named them. */
export type OnnxAnswers<OutputName extends string, DeviceName extends string> = string extends OutputName
  ? Answers<DeviceName>
  : [DeviceName] extends [never]
    ? { readonly [Name in OutputName]: Tensor }
    : { readonly [Name in OutputName]: Name extends DeviceName ? DeviceTensor : Tensor } & {
        readonly [Name in DeviceName]: DeviceTensor
      }

/** An ONNX model as a function sees it. */
export interface OnnxModel<
  InputName extends string = string,
  OutputName extends string = string,
  DeviceName extends string = never,
> {
  readonly inputs: readonly TensorFacts[]
  readonly outputs: readonly TensorFacts[]
  /** The provider that computes; what a session says may change once, by the first run. */
  readonly provider: Provider
  /**
   * Runs the model once.
   *
   * @throws {IsoplexError} `TENSOR_MISMATCH` where a feed is missing, unknown, or of another type or shape.
   */
  run(
    feeds: { readonly [Name in InputName]: Tensor | DeviceTensor },
  ): Promise<OnnxAnswers<OutputName, DeviceName>>
}

/**
 * An ONNX file as the model of a function. With `inputs` and `outputs` named, a misspelt one is a compile
 * error, and a model that lacks one is refused when it is loaded instead of failing each request.
 *
 * @example
 * model: onnx({ default: 'digits', inputs: ['image'], outputs: ['logits'] })
 *
 * @throws {IsoplexError} at load: `MODEL_BROKEN` or `PROVIDER_UNAVAILABLE`, as {@link Engine.load}.
 */
export function onnx<
  const InputName extends string = string,
  const OutputName extends string = string,
  const DeviceName extends string = never,
>(
  options: OnnxOptions<InputName, OutputName, DeviceName> = {},
): ModelLoader<OnnxModel<InputName, OutputName, DeviceName>> {
  const {
    file = 'model.onnx',
    default: defaultModel,
    maxModelsPerReplica,
    inputs,
    outputs,
    ...session
  } = options
  type Model = OnnxModel<InputName, OutputName, DeviceName>
  const sessions = new WeakMap<Model, Session<DeviceName>>()
  return multiplexed(
    async (info, engine) => {
      const loaded = await engine.load<DeviceName>(`${info.path}/${file}`, session)
      try {
        assertOffers(info, 'input', inputs, loaded.inputs)
        assertOffers(info, 'output', outputs, loaded.outputs)
      } catch (error) {
        await loaded.dispose()
        throw error
      }
      const model: Model = Object.freeze({
        inputs: loaded.inputs,
        outputs: loaded.outputs,
        get provider() {
          return loaded.provider
        },
        // The names were checked above where they were given; without names both types are plain strings.
        run: loaded.run.bind(loaded) as Model['run'],
      })
      sessions.set(model, loaded)
      return model
    },
    {
      unload: async (model) => sessions.get(model)?.dispose(),
      ...(defaultModel === undefined ? {} : { default: defaultModel }),
      ...(maxModelsPerReplica === undefined ? {} : { maxModelsPerReplica }),
    },
  )
}

function assertOffers(
  info: ModelInfo,
  what: 'input' | 'output',
  wanted: readonly string[] = [],
  offered: readonly TensorFacts[],
): void {
  const missing = wanted.find((name) => !offered.some((facts) => facts.name === name))
  if (missing === undefined) return
  const list = offered.map(({ name, type, dims }) => `${name} ${type}${formatShape(dims)}`).join(', ')
  throw new IsoplexError(
    'MODEL_BROKEN',
    `Model "${info.id}" has no ${what} "${missing}", which the function needs; its ${what}s are ${list}.`,
    { details: { model: info.id } },
  )
}
