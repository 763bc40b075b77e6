/** Does a piece of work at its turn. What the work throws is thrown to its caller alone. */
export type Exclusion = <Value>(work: () => Promise<Value>) => Promise<Value>

/** One piece of work at a time within this thread, in the order of asking. */
export function createExclusion(): Exclusion {
  let tail: Promise<unknown> = Promise.resolve()
  return (work) => {
    const turn = tail.then(work)
    tail = turn.catch(() => undefined)
    return turn
  }
}

/** No exclusion: for a provider that takes calls side by side. */
export const sideBySide: Exclusion = (work) => work()
