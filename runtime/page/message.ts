import type { WireError } from '../error/wire.ts'
import type { ReplyHead, RequestHead } from '../runner/head.ts'
import type { PageManifest } from './manifest.ts'
import type { LocalProgress, LocalRun } from './run.ts'

/** What a worker is told first: all that its page decides for it. */
export interface StartMessage {
  readonly kind: 'start'
  /** The web lock that the worker holds as long as it lives. */
  readonly lockName: string
  /** ONNX Runtime, with absolute URLs. */
  readonly onnx: PageManifest['onnx']
  readonly provider: 'auto' | 'webgpu' | 'wasm'
  /** Whether an adapter that computes in software counts as one. */
  readonly softwareAdapters: boolean
  /** The most bytes of models that are kept loaded. */
  readonly maxModelBytes: number
  /** Whether functions' log lines of the level debug are written. */
  readonly debug: boolean
}

/** A request for a function. Its body is copied, not transferred: the page sends it again where a worker dies. */
export interface RequestMessage {
  readonly kind: 'request'
  /** Unique among the requests of a worker. */
  readonly id: number
  /** The function's name. */
  readonly name: string
  /** The absolute URL of the function's module. */
  readonly moduleUrl: string
  readonly hasModel: boolean
  readonly baseUrl: string
  /** The model token; `null` for none. */
  readonly token: string | null
  /** The model that a function which calls asks for: no other may answer. @default whichever the token says */
  readonly askedModel?: string
  /** The graph in whose name a function is called: the server says of the graph which models it has. @default none */
  readonly graph?: string
  /** Equal keys get the same version of a model; `null` for none. */
  readonly stickyKey: string | null
  readonly head: RequestHead
  readonly body: Uint8Array<ArrayBuffer>
  /** Whether it may not share a batch: a worker died while it ran. */
  readonly alone: boolean
}

/** What a page tells its worker. */
export type PageMessage =
  | StartMessage
  | RequestMessage
  /** Nobody waits for the answer any more. */
  | { readonly kind: 'cancel'; readonly id: number }
  /** The user wants nothing to be kept. */
  | { readonly kind: 'clear' }
  /** So many bytes of a stream were read. */
  | { readonly kind: 'credit'; readonly id: number; readonly bytes: number }

/** What a worker tells its page. Each request has exactly one of `reply`, `refusal` and `end`, as its last. */
export type HostMessage =
  /** The worker holds its lock. */
  | { readonly kind: 'up' }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: LocalProgress }
  /** The request waits for its turn alone: its function and its model have come up. */
  | { readonly kind: 'ready'; readonly id: number; readonly idempotent: boolean }
  | {
      readonly kind: 'reply'
      readonly id: number
      readonly head: ReplyHead
      readonly body: string | Uint8Array<ArrayBuffer>
      readonly run: LocalRun
    }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'stream'; readonly id: number; readonly head: ReplyHead; readonly run: LocalRun }
  | { readonly kind: 'chunk'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
  /** The end of a stream; `broken` where it ended before its end. */
  | { readonly kind: 'end'; readonly id: number; readonly broken: boolean }
  /** This worker can compute no longer: its device is gone, or ONNX Runtime broke off or could not be had. */
  | { readonly kind: 'lost'; readonly error: WireError }
