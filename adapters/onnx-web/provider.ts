import type { Provider } from '../../runtime/engine/engine.ts'
import { type ProviderChoice, type ProviderWish, providers } from '../../runtime/engine/provider.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import type { BrowserFacts } from './browser-facts.ts'

/** What computes in a page. */
export type WebProvider = 'webgpu' | 'wasm'

/** What somebody would like to compute on in a page. */
export interface WebProviderWish extends ProviderWish {
  /** Whether an adapter that computes on the CPU counts: it is tens of times slower than wasm. */
  readonly softwareAdapters: boolean
}

/** What will compute in a page, and why. */
export interface WebProviderChoice extends ProviderChoice {
  readonly provider: WebProvider
}

const mostThreads = 4

/**
 * Chooses a provider from the facts alone: `auto` takes webgpu where there is an adapter that counts, else wasm,
 * which is then a fallback with its reason.
 *
 * @throws {IsoplexError} `PROVIDER_UNAVAILABLE` where neither the wish nor its fallback is to be had.
 * @throws {TypeError} where the wish names no provider.
 */
export function selectWebProvider(facts: BrowserFacts, wish: WebProviderWish): WebProviderChoice {
  const { provider = 'auto', fallback } = wish
  assertProvider('provider', provider, ['auto', ...providers])
  if (fallback !== undefined) assertProvider('fallback', fallback, providers)
  const wished = provider === 'auto' ? 'webgpu' : provider
  const fault = faultOf(wished, facts, wish)
  if (fault === null && isWebProvider(wished)) return choice(wished, reasonOf(wished, facts))
  const other = allowedFallback(wish)
  const reason = fault ?? ''
  if (other !== null && faultOf(other, facts, wish) === null) {
    return { ...choice(other, reason), missing: [wished], fellBack: true }
  }
  throw new IsoplexError(
    'PROVIDER_UNAVAILABLE',
    `The execution provider "${wished}" is not available here. ${reason}`,
    {
      details: { missing: [wished] },
    },
  )
}

/** What may be taken where the wish cannot be met, by the wish itself; `null` where nothing may. */
export function allowedFallback({ provider = 'auto', fallback }: ProviderWish): WebProvider | null {
  if (provider === 'auto') return 'wasm'
  return fallback !== undefined && fallback !== provider && isWebProvider(fallback) ? fallback : null
}

/**
 * How many threads wasm takes: one where the page is not cross-origin isolated, since its threads share memory.
 *
 * @param asked a wish, which the number of cores bounds; where absent, half of the cores, at most 4
 */
export function selectThreads({ isolated, cores }: BrowserFacts, asked?: number): number {
  if (!isolated) return 1
  return Math.max(
    1,
    asked === undefined ? Math.min(mostThreads, Math.ceil(cores / 2)) : Math.min(asked, cores),
  )
}

function faultOf(
  provider: Provider,
  { adapter }: BrowserFacts,
  { softwareAdapters }: WebProviderWish,
): string | null {
  if (provider === 'wasm') return null
  if (provider !== 'webgpu') return 'It computes on servers; a page has webgpu and wasm.'
  if (adapter === null) return 'The browser offers no WebGPU adapter.'
  return adapter.software && !softwareAdapters
    ? `The only WebGPU adapter (${adapter.description}) computes in software.`
    : null
}

function reasonOf(provider: WebProvider, { adapter }: BrowserFacts): string {
  return provider === 'webgpu' && adapter !== null
    ? `WebGPU, by ${adapter.description}.`
    : 'It is part of the runtime.'
}

function choice(provider: WebProvider, reason: string): WebProviderChoice {
  return { provider, reason, missing: [], fellBack: false }
}

function isWebProvider(provider: Provider): provider is WebProvider {
  return provider === 'webgpu' || provider === 'wasm'
}

function assertProvider(option: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return
  throw new TypeError(`"${option}" must be one of ${allowed.join(', ')}; got ${JSON.stringify(value)}.`)
}
