import type { FunctionLog } from '../../define/context.ts'
import { isIsoplexError } from '../../error/error.ts'
import type { PlacementQuestion } from './function-choice.ts'

/** What the configuration has loaded at the start, each as `MODEL` or `FUNCTION=MODEL`. */
export interface PreloadingOptions {
  readonly pinnedModels: readonly string[]
  readonly preloadModels: readonly string[]
  readonly log: FunctionLog
}

/** How far the models of the configuration have come. */
export interface PreloadState {
  /** Those that have not ended yet, begun or not. */
  readonly loading: number
  readonly loaded: number
  readonly failed: number
}

/** Loads a model. */
export type Preload = (question: PlacementQuestion, options: { readonly pin: boolean }) => Promise<unknown>

/** The loading of the models that the configuration names. */
export class Preloading {
  readonly #options: PreloadingOptions
  readonly #state: { loading: number; loaded: number; failed: number }

  constructor(options: PreloadingOptions) {
    this.#options = options
    const { pinnedModels, preloadModels } = options
    this.#state = { loading: pinnedModels.length + preloadModels.length, loaded: 0, failed: 0 }
  }

  /** How far it has come. */
  get state(): PreloadState {
    return { ...this.#state }
  }

  /** Loads them all, once; resolves when each is loaded or has failed, which is logged. */
  async run(preload: Preload): Promise<void> {
    const { pinnedModels, preloadModels } = this.#options
    await Promise.all([
      ...pinnedModels.map((entry) => this.#load(entry, { pin: true }, preload)),
      ...preloadModels.map((entry) => this.#load(entry, { pin: false }, preload)),
    ])
  }

  async #load(entry: string, { pin }: { readonly pin: boolean }, preload: Preload): Promise<void> {
    const at = entry.indexOf('=')
    const functionName = at > 0 ? entry.slice(0, at) : null
    try {
      await preload({ model: entry.slice(at + 1), functionName, tenant: null }, { pin })
      this.#state.loaded += 1
    } catch (error) {
      this.#state.failed += 1
      const fields = { entry, setting: pin ? 'pinnedModels' : 'preloadModels', error }
      const message = 'A model of the configuration is not loaded; "isoplex models load" tries again'
      warnOf(this.#options.log, message, fields)
    } finally {
      this.#state.loading -= 1
    }
  }
}

/** Logs why a model is not loaded. Who stops the server has no use for what it was about to do. */
export function warnOf(
  log: FunctionLog,
  message: string,
  fields: Readonly<Record<string, unknown>> & { readonly error: unknown },
): void {
  if (isIsoplexError(fields.error) && fields.error.code === 'DRAINING') return
  log.warn(message, fields)
}
