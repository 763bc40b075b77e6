/** Somebody who looks at a job again and again, until it is disposed of or its signal fires. */
export interface PulseHolder extends Disposable {
  /** Resolves at the first beat since the last one that this holder has seen, or with the signal. */
  next(): Promise<void>
}

interface Holder {
  /** Whether there was a beat that it has not seen. */
  missed: boolean
  /** Ends its wait, where it waits. */
  wake: () => void
}

interface Pulse {
  readonly holders: Set<Holder>
  readonly timer: Timer
}

/**
 * Says when it is time to look at a job: at once when something of it was written here, and every while as long as
 * anybody looks, since other servers write as well. All who look at one job hear the same beats, so that what they ask
 * then is one question.
 */
export class Pulses implements Disposable {
  readonly #everyMs: number
  readonly #pulses = new Map<string, Pulse>()

  constructor(everyMs: number) {
    this.#everyMs = everyMs
  }

  /** Wakes all who look at a job. */
  beat(jobId: string): void {
    for (const holder of this.#pulses.get(jobId)?.holders ?? []) {
      holder.missed = true
      holder.wake()
    }
  }

  /** Begins to look at a job. Whoever is asked for nothing more, since nobody reads, ends with the signal as well. */
  hold(jobId: string, signal: AbortSignal): PulseHolder {
    const pulse = this.#pulses.get(jobId) ?? this.#start(jobId)
    const holder: Holder = { missed: false, wake: () => undefined }
    pulse.holders.add(holder)
    const end = (): void => {
      signal.removeEventListener('abort', end)
      if (pulse.holders.delete(holder) && pulse.holders.size === 0) this.#end(jobId, pulse)
      holder.wake()
    }
    if (signal.aborted) end()
    else signal.addEventListener('abort', end)
    return {
      next: async () => {
        if (!holder.missed && pulse.holders.has(holder)) {
          await new Promise<void>((resolve) => {
            holder.wake = resolve
          })
        }
        holder.missed = false
      },
      [Symbol.dispose]: end,
    }
  }

  /** Beats no more. */
  [Symbol.dispose](): void {
    for (const [jobId, pulse] of this.#pulses) this.#end(jobId, pulse)
  }

  #start(jobId: string): Pulse {
    const timer = setInterval(() => this.beat(jobId), this.#everyMs)
    const pulse: Pulse = { holders: new Set(), timer }
    this.#pulses.set(jobId, pulse)
    return pulse
  }

  #end(jobId: string, pulse: Pulse): void {
    clearInterval(pulse.timer)
    // Another one may have begun meanwhile.
    if (this.#pulses.get(jobId) === pulse) this.#pulses.delete(jobId)
  }
}
