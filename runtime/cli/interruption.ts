/** What a command ends with that was ended by Ctrl-C: 128 and the signal's number, as shells have it. */
export const interruptedCode = 130

const signals = ['SIGINT', 'SIGTERM'] as const

/** Ctrl-C while something goes on. */
export interface Interruption extends Disposable {
  /** Fires at the first Ctrl-C. */
  readonly signal: AbortSignal
}

/**
 * Listens for Ctrl-C, and for SIGTERM alike: the first one fires the signal, so that what goes on is ended in good order;
 * the second ends the process at once.
 */
export function listenForInterruption(): Interruption {
  const first = new AbortController()
  const interrupt = (): void => {
    if (first.signal.aborted) process.exit(interruptedCode)
    first.abort(new DOMException('The command was interrupted.', 'AbortError'))
  }
  for (const signal of signals) process.on(signal, interrupt)
  return Object.freeze({
    signal: first.signal,
    [Symbol.dispose]() {
      for (const signal of signals) process.off(signal, interrupt)
    },
  })
}
