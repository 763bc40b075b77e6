import type { Provider } from '../../runtime/engine/engine.ts'
import type { AnyIsoplexError } from '../../runtime/error/error.ts'
import { fetchedFiles, type ModelFiles } from './model-files.ts'
import type { WebProvider } from './provider.ts'
import type { OnnxWebFiles } from './runtime.ts'
import { createVerdictMemory, type VerdictStore } from './verdict.ts'

/** A model that computes elsewhere than was wished for. */
export interface WebProviderFallback {
  /** The model, as `load` was given it. */
  readonly location: string
  readonly wished: Provider | 'auto'
  readonly provider: WebProvider
  /** A sentence for people. */
  readonly reason: string
}

/** What an engine is at, for a model. */
export interface LoadStage {
  /** The model, as `load` was given it. */
  readonly location: string
  /** `load`: its session is made. `verify`: the answers of webgpu are compared with those of wasm. */
  readonly stage: 'load' | 'verify'
}

/** How the engine is to be made. */
export interface OnnxWebEngineOptions {
  readonly onnx: OnnxWebFiles
  /** Where models are read from. @default fetched by their URLs, without external data */
  readonly files?: ModelFiles
  /**
   * Whether WebGPU adapters that compute on the CPU count. They are tens of times slower than wasm, and there for
   * tests. @default false
   */
  readonly softwareAdapters?: boolean
  /** The provider of sessions that name none. @default 'auto' */
  readonly provider?: WebProvider | 'auto'
  /**
   * Threads of wasm, where the page is cross-origin isolated; it has one elsewhere.
   * @default half of the cores, at most 4
   */
  readonly threads?: number
  /** Where it is kept which models webgpu computes right. @default in memory */
  readonly verdicts?: VerdictStore
  /** Called for each model that computes on a fallback, at its load or its first run. @default none */
  readonly onFallback?: (fallback: WebProviderFallback) => void
  /** Called when a session is about to be made or verified. @default none */
  readonly onStage?: (stage: LoadStage) => void
  /**
   * Called once where nothing can compute in this page or worker any more, with why: the device is lost, ONNX Runtime
   * has crashed or could not be started. Whatever runs or is asked for is rejected with that; another worker may go
   * on. @default none
   */
  readonly onLost?: (error: AnyIsoplexError) => void
}

/** The options with their defaults. */
export type EngineSettings = Required<Omit<OnnxWebEngineOptions, 'threads'>> & {
  readonly threads: number | undefined
}

/**
 * Fills in the defaults.
 *
 * @throws {TypeError} where `threads` is not a whole number from 1.
 */
export function settingsOf(options: OnnxWebEngineOptions): EngineSettings {
  const { threads } = options
  if (threads !== undefined && !(Number.isSafeInteger(threads) && threads >= 1)) {
    throw new TypeError(`"threads" must be a whole number from 1; got ${String(threads)}.`)
  }
  return {
    files: fetchedFiles,
    softwareAdapters: false,
    provider: 'auto',
    verdicts: createVerdictMemory(),
    onFallback: () => undefined,
    onStage: () => undefined,
    onLost: () => undefined,
    ...options,
    threads,
  }
}
