import type { Session, SessionOptions } from '../engine/engine.ts'
import type { FetchedInput, InputFetchOptions, ModelInfo } from './context.ts'
import type { AnyIterable, FunctionHandle, OpenHandle } from './handle.ts'

/** How a message of a job is meant. */
export type MessageLevel = 'info' | 'warning' | 'danger' | 'success'

/** What {@link ActionContext.infer} may be told. */
export interface InferOptions<Input, Output> {
  /** Answers in the place of the action's own `infer`. */
  readonly handle?: Pick<FunctionHandle<Input, Output>, 'inferAll'>
  /** How many inputs there are, for the progress; none is reported without. */
  readonly total?: number
  /** The category under which the progress is reported. @default 'inference'; in a step, its name */
  readonly category?: string
  /** Inputs in one call of the action's own `infer`. @default `batchSize` of the action */
  readonly batchSize?: number
}

/** A file that a job keeps. */
export interface JobFileFacts {
  readonly name: string
  readonly mediaType: string
  readonly bytes: number
}

/** What a file is made of. */
export type FileContent = string | Uint8Array | AnyIterable<string | Uint8Array>

/**
 * The files of a job: they survive its process, whichever server goes on with it, and whoever submitted the job
 * downloads them. They go with the job.
 */
export interface JobFiles {
  /**
   * Keeps a file whole, in the place of one of the same name.
   *
   * @throws {TypeError} where the name is not 1 to 128 letters, digits and `_ . -`, or begins with a dot.
   * @throws {IsoplexError} `JOB_TOO_LARGE`, `STORAGE_FULL`.
   */
  write(name: string, content: FileContent, options?: { readonly mediaType?: string }): Promise<void>
  /** @throws {TypeError} where there is no such file. */
  read(name: string): Promise<Uint8Array<ArrayBuffer>>
  list(): Promise<readonly JobFileFacts[]>
}

/** What an action that has no steps, or a step in the middle of its work, remembers for the case of a death. */
export interface Checkpoint {
  /** What was saved last in this step, or in an action without steps; `undefined` where nothing was. */
  readonly value: unknown
  /** Saves a value that JSON can carry. Once it resolves, a process that goes on with the job gets it. */
  save(value: unknown): Promise<void>
}

/** What an action gets. */
export interface ActionContext<Params = unknown, Input = unknown, Output = unknown> {
  /** The parameters, checked against the schema. */
  readonly params: Params
  readonly jobId: string
  /** Who submitted the job. */
  readonly principal: string
  /** How often the job has been begun, this time included. */
  readonly attempt: number
  /** Fires when the job is cancelled or out of time; what goes on after it is ended by force. */
  readonly signal: AbortSignal
  /** A folder for scratch files; it goes with the process. What is to stay goes into `files`. */
  readonly directory: string
  readonly files: JobFiles
  readonly checkpoint: Checkpoint
  /**
   * The metadata of a model.
   *
   * @throws {IsoplexError} `MODEL_FORBIDDEN` where whoever submitted the job has no right to it (any more),
   * `MODEL_NOT_FOUND`, and what else keeps the backend from answering; so do the others that take a model's id.
   */
  getModel(modelId: string): Promise<Readonly<Record<string, unknown>>>
  /**
   * Copies the files of a model into a folder, by default a new one in `directory`, and gives its path. A relative one is
   * seen from `directory`.
   */
  downloadModel(modelId: string, directory?: string): Promise<string>
  /** A model's metadata with `path`, the folder of its files; it stays as it is until the action ends. */
  loadModel(modelId: string): Promise<ModelInfo>
  /** A session of a model's file, `model.onnx` by default, in this process; it ends with the action. */
  session(modelId: string, options?: SessionOptions & { readonly file?: string }): Promise<Session>
  /**
   * Another function, in this process. `model` names the model that answers; without it that of the token by which
   * the job was submitted, else the function's default. No `deployment` answers here.
   *
   * @throws {TypeError} where `fn` is nothing that can be called, or an option names what it does not have.
   */
  readonly handle: OpenHandle
  /**
   * Infers many inputs in batches, by the action's own `infer`, or by a handle where one is given; the answers come in
   * the inputs' order. No more inputs are taken than the next batches need.
   */
  infer<In, Out>(
    inputs: AnyIterable<In>,
    options: InferOptions<In, Out> & { readonly handle: Pick<FunctionHandle<In, Out>, 'inferAll'> },
  ): AsyncIterable<Out>
  infer(inputs: AnyIterable<Input>, options?: InferOptions<Input, Output>): AsyncIterable<Output>
  /** Fetches what a caller gives by URL; as `fetchInput` of functions. */
  fetchInput(url: string, options?: InputFetchOptions): Promise<FetchedInput>
  /**
   * Reports progress in a category: `model_load`, `inference`, `postprocess`, or one of the action's own. In steps,
   * the category is the step's name where none is given.
   *
   * @throws {IsoplexError} `PROGRESS_INVALID` while developing, where `total` is not above 0, `current` is outside 0
   * to `total`, or the category is unknown; in production that is corrected and logged.
   */
  setProgress(current: number, total: number, category?: string): void
  /**
   * Reports figures of a category, which is the step's name or `inference` where none is given; of equal names the last
   * counts.
   */
  setMetrics(values: Readonly<Record<string, unknown>>, category?: string): void
  /** Reports an event. Never put a secret in the data. */
  log(event: string, data?: Readonly<Record<string, unknown>>): void
  /** Reports a message for people. */
  logMessage(message: string, level?: MessageLevel): void
}
