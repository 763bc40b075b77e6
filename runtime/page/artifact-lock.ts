/** Lets go of what was held. It may be called again, to no effect. */
export type Release = () => void

/**
 * Holds an artifact for use, so that no tab removes it, until it is released or this worker ends. Any number may hold
 * one at once. The signal ends the wait, with what it gives.
 */
export function holdForUse(digest: string, signal: AbortSignal): Promise<Release> {
  return hold(useOf(digest), { mode: 'shared', signal })
}

/** Waits for the turn to bring an artifact, which one tab at a time has. The signal ends the wait, with what it gives. */
export function holdForWriting(digest: string, signal: AbortSignal): Promise<Release> {
  return hold(`isoplex artifact written ${digest}`, { signal })
}

/** Removes an artifact, unless a tab holds it for use. Gives whether it was removed. */
export async function tryRemoving(digest: string, remove: () => Promise<boolean>): Promise<boolean> {
  if (!navigator.locks) return remove()
  return navigator.locks.request(useOf(digest), { ifAvailable: true }, (lock) =>
    lock === null ? false : remove(),
  )
}

/** Whether any tab holds an artifact for use. */
export async function isInUse(digest: string): Promise<boolean> {
  const { held = [] } = (await navigator.locks?.query()) ?? {}
  return held.some(({ name }) => name === useOf(digest))
}

function useOf(digest: string): string {
  return `isoplex artifact used ${digest}`
}

/** Pages that did not come over https have no locks, and nothing to keep that would need them. */
async function hold(name: string, options: LockOptions): Promise<Release> {
  options.signal?.throwIfAborted()
  if (!navigator.locks) return () => undefined
  const { promise: over, resolve: release } = Promise.withResolvers<void>()
  const { promise: held, resolve: isHeld, reject: isRefused } = Promise.withResolvers<void>()
  navigator.locks
    .request(name, options, () => {
      isHeld()
      return over
    })
    .catch(isRefused)
  await held
  return release
}
