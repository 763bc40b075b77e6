import type { DeviceTensor } from './device-tensor.ts'
import type { Shape, Tensor, TensorType } from './tensor.ts'

/** What computes a model's nodes. Which of them exist is a fact of the engine and the machine. */
export type Provider = 'cpu' | 'cuda' | 'tensorrt' | 'webgpu' | 'wasm'

/** How a session is to be made. Everything is optional; the engine's defaults are the runtime's own. */
export interface SessionOptions<DeviceName extends string = never> {
  /**
   * The provider to compute on. `auto` takes the best that is safe to take unasked: on a server cuda where its
   * libraries and a device are there, else cpu; in a browser webgpu, else wasm. A wish that cannot be met is
   * an error, never another provider in silence. @default 'auto'
   */
  readonly provider?: Provider | 'auto'
  /**
   * What to take where `provider` is not to be had, or fails to load the model; it is then said once.
   * @default none
   */
  readonly fallback?: Provider
  /** Threads that one operator may use. @default the engine's, which is one a core */
  readonly intraOpThreads?: number
  /** Operators that may run side by side. @default 1 */
  readonly interOpThreads?: number
  /** How far the graph is rewritten at load. @default 'all' */
  readonly graphOptimization?: 'disabled' | 'basic' | 'extended' | 'layout' | 'all'
  /** Whether buffers are planned ahead for shapes already seen. @default true */
  readonly memoryPattern?: boolean
  /**
   * Options handed to the provider that `provider` names, such as `{ deviceId: 1 }`; a fallback does not get
   * them. One that the runtime would pass over in silence is a `TypeError`. @default none
   */
  readonly providerOptions?: Readonly<Record<string, string | number | boolean>>
  /**
   * Outputs that stay where the model computed them: `run` gives them as {@link DeviceTensor}, which the next
   * `run` takes without a copy. @default none
   */
  readonly deviceOutputs?: readonly DeviceName[]
}

/** One input or output of a model. */
export interface TensorFacts {
  readonly name: string
  readonly type: TensorType
  /**
   * The shape; a free dimension is its name in the model, or `null` where it has none. Empty means a scalar
   * or a shape that the model leaves open, which ONNX Runtime does not tell apart: any shape is taken then.
   */
  readonly dims: Shape
}

/** Tensors by the names of a model's inputs or outputs. */
export type Tensors = Readonly<Record<string, Tensor>>

/** What a model is fed, by the names of its inputs. */
export type Feeds = Readonly<Record<string, Tensor | DeviceTensor>>

/** What a model gives, by the names of its outputs: device tensors where they were asked for, else tensors. */
export type Answers<DeviceName extends string = never> = [DeviceName] extends [never]
  ? Tensors
  : Feeds & { readonly [Name in DeviceName]: DeviceTensor }

/** A model made ready to run. One owner; not shared between threads. */
export interface Session<DeviceName extends string = never> {
  readonly inputs: readonly TensorFacts[]
  readonly outputs: readonly TensorFacts[]
  /** The provider that was chosen and in fact computes. It may change once, by the first run. */
  readonly provider: Provider
  /**
   * Runs the model once. Calls may overlap; each gets its own answer. The feeds' data is read while the model
   * runs, so it must not be written to before the promise settles; the answers' data is the caller's.
   *
   * @throws {IsoplexError} `TENSOR_MISMATCH` where a feed is missing, unknown, or of another type or shape;
   * `INFERENCE_FAILED`, with the runtime's reason, where the model fails on feeds that fit; `DEVICE_LOST` where
   * what computes is gone.
   */
  run(feeds: Feeds): Promise<Answers<DeviceName>>
  /**
   * Frees the model once the runs in flight have ended. Calling it again does nothing; `run` after it is a
   * `TypeError`.
   */
  dispose(): Promise<void>
}

/** What an adapter implements: it makes sessions of model files. */
export interface Engine {
  /** The adapter's name, such as `onnx-node`. */
  readonly name: string
  /**
   * Loads a model. `location` is a file's path on a server and a URL in a browser; external data is found
   * beside it.
   *
   * @throws {IsoplexError} `MODEL_BROKEN` where the file is no model that this runtime can load
   * or lacks an output of `deviceOutputs`; `PROVIDER_UNAVAILABLE` where the wished provider is not to be had;
   * `DEVICE_LOST` where what computes is gone.
   */
  load<DeviceName extends string = never>(
    location: string,
    options?: SessionOptions<DeviceName>,
  ): Promise<Session<DeviceName>>
}
