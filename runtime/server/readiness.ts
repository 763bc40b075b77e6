import type { Manifest } from '../build/manifest.ts'
import type { NodeReport } from '../replica/node/fleet.ts'
import type { RunnerLink } from '../replica/runner-link.ts'
import type { Readiness } from './app.ts'
import type { PreloadState } from './residency/preloading.ts'

/** What readiness is read from. */
export interface ReadinessFacts {
  readonly manifest: Manifest
  readonly scheduler: { readonly pool: ObservedPool }
  /** How far the models have come that the configuration names. */
  readonly preloads: PreloadState
  /** Whether the server is about to stop. */
  readonly closing: boolean
  /** The provider that the operator wished for. */
  readonly provider: string
  /** The nodes that replicas are on; `null` where they are on this machine. */
  readonly nodes: readonly NodeReport[] | null
}

/** As much of a pool as can be told of. */
export interface ObservedPool {
  /** How many replicas are kept, ready or not. */
  readonly size: number
  /** The replicas that take orders. */
  readonly replicas: readonly { readonly number: number; readonly links: Iterable<ObservedRunner> }[]
  /** Every runner that has not ended. */
  readonly links: Iterable<ObservedRunner>
}

/** As much of a runner as can be told of. */
export type ObservedRunner = Pick<RunnerLink, 'state' | 'model' | 'providers' | 'fallbacks'>

/**
 * Whether requests can be answered well: a replica takes orders where there is to be
 * one, the server is not stopping, and the models that the
 * configuration names are loaded, or have failed to. Beside it stands what an operator looks for first; it names no model and no tenant, since anybody may read it.
 */
export function readinessOf(facts: ReadinessFacts): Readiness {
  const { manifest, scheduler, preloads, closing, provider, nodes } = facts
  const { pool } = scheduler
  const replicas = pool.replicas.map((replica) => {
    const runners = [...replica.links].filter(({ state }) => state === 'active')
    return {
      replica: replica.number,
      runners: runners.length,
      models: runners.filter(({ model }) => model !== null).length,
    }
  })
  const links = [...pool.links]
  return Object.freeze({
    ready: (replicas.length > 0 || (pool.size === 0 && nodes === null)) && !closing && preloads.loading === 0,
    stopping: closing,
    preloads,
    replicas: { wanted: pool.size, ready: replicas },
    ...(nodes === null ? {} : { nodes }),
    provider: {
      wished: provider,
      inUse: [...new Set(links.flatMap(({ providers }) => providers))].toSorted(),
      fallbacks: [...new Set(links.flatMap(({ fallbacks }) => fallbacks))].toSorted(),
    },
    functions: manifest.functions.length,
    broken: manifest.broken.map(({ file }) => file),
  })
}
