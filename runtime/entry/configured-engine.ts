import type { Engine, Provider, Session } from '../engine/engine.ts'

/** What sessions use where a function does not say. */
export interface SessionWishes {
  readonly provider: string
  readonly fallback: string | null
  /** 0 leaves it to the engine. */
  readonly intraOpThreads: number
}

/** The engine with the operator's wishes where a function has none; it tells of each session that it loads. */
export function configureEngine(
  base: Engine,
  wishes: SessionWishes,
  onLoaded: (session: Pick<Session, 'provider' | 'dispose'>) => void,
): Engine {
  return {
    name: base.name,
    async load(location, options) {
      const session = await base.load(location, {
        provider: wishes.provider as Provider | 'auto',
        ...(wishes.fallback === null ? {} : { fallback: wishes.fallback as Provider }),
        ...(wishes.intraOpThreads > 0 ? { intraOpThreads: wishes.intraOpThreads } : {}),
        ...options,
      })
      onLoaded(session)
      return session
    },
  }
}
