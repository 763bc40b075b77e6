import type { GraphOutline } from '../define/graph-outline.ts'
import type { Method, Place } from '../define/options.ts'

/** What `GET /-/routes` answers. */
export interface RouteList {
  /** The name of the app and its version: `name@version`. */
  readonly app: string
  /** What the paths of all functions begin with. */
  readonly routePrefix: string
  readonly routes: readonly RouteFacts[]
  /** The files that do not build; `served` where an earlier state of the file is served meanwhile. */
  readonly broken: readonly {
    readonly file: string
    readonly place: { readonly file: string; readonly line: number | null; readonly column: number | null }
    readonly reason: string
    readonly served: boolean
  }[]
}

/** A function as whoever calls it has to know it. */
export interface RouteFacts {
  readonly name: string
  /** The path from the top of the server, with parameters in braces: `/hello/{name}`. */
  readonly path: string
  readonly methods: readonly Method[]
  readonly kind: 'function' | 'inference' | 'action' | 'graph'
  readonly access: 'token' | 'public'
  readonly runs: readonly Place[]
  /** Whether a request may be sent again where it is not known what became of it. */
  readonly idempotent: boolean
  /** How long one request may take on the server. */
  readonly timeoutMs?: number
  readonly file: string
  readonly description?: string
  /** The model that answers where a request needs no token and brings none. */
  readonly defaultModel?: string
  /** The function that answers, where this is a deployment of it under another name. */
  readonly deploymentOf?: string
  /** The names of the functions whose files it imports, so that it may call them. */
  readonly calls?: readonly string[]
  /** What the jobs of an action report; none for functions. */
  readonly action?: {
    /** The categories of its progress, or the steps, with their weights. */
    readonly weights: Readonly<Record<string, number>>
    /** The names of its steps in their order; empty for an action without. */
    readonly steps: readonly string[]
  }
  /** What a graph looks like; none for other functions. */
  readonly graph?: GraphOutline
}
