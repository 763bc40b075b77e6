import type { LoadStage, OnnxWebEngineOptions, WebProviderFallback } from '../../adapters/onnx-web/options.ts'
import type { SessionOptions } from '../../runtime/engine/engine.ts'

/** How an engine is made in a page; its callbacks come as events. */
export interface EngineSetup {
  readonly options: Pick<OnnxWebEngineOptions, 'onnx' | 'softwareAdapters' | 'provider' | 'threads'>
}

/** What a test may have a page's worker do. */
export type EngineOrder =
  | { readonly kind: 'create'; readonly setup: EngineSetup }
  | {
      readonly kind: 'load'
      readonly engine: number
      readonly location: unknown
      readonly options: SessionOptions<string>
    }
  | { readonly kind: 'run'; readonly session: number; readonly feeds: Readonly<Record<string, unknown>> }
  | { readonly kind: 'dispose'; readonly session: number }
  | { readonly kind: 'read' | 'free'; readonly tensor: number }
  | { readonly kind: 'downloads' }

/** What an engine in a page says unasked. */
export type EngineEvent =
  | { readonly kind: 'fallback'; readonly fallback: WebProviderFallback }
  | { readonly kind: 'stage'; readonly stage: LoadStage }
  | { readonly kind: 'lost'; readonly reason: string }
