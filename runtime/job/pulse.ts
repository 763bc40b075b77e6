/** Somebody who looks at a job again and again. */
export interface PulseHolder extends Disposable {
  /** Resolves at the first beat since the last one that this holder has seen, or with the signal. */
  next(signal: AbortSignal): Promise<void>
}

interface Pulse {
  holders: number
  beats: number
  readonly timer: Timer
  coming: PromiseWithResolvers<void>
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
    const pulse = this.#pulses.get(jobId)
    if (pulse === undefined) return
    const { coming } = pulse
    pulse.beats += 1
    pulse.coming = Promise.withResolvers()
    coming.resolve()
  }

  /** Begins to look at a job. */
  hold(jobId: string): PulseHolder {
    const pulse = this.#pulses.get(jobId) ?? this.#start(jobId)
    pulse.holders += 1
    let seen = pulse.beats
    return {
      next: async (signal) => {
        if (pulse.beats === seen) await settled(pulse.coming.promise, signal)
        seen = pulse.beats
      },
      [Symbol.dispose]: () => {
        pulse.holders -= 1
        if (pulse.holders === 0) this.#end(jobId, pulse)
      },
    }
  }

  /** Beats no more. */
  [Symbol.dispose](): void {
    for (const [jobId, pulse] of this.#pulses) this.#end(jobId, pulse)
  }

  #start(jobId: string): Pulse {
    const timer = setInterval(() => this.beat(jobId), this.#everyMs)
    const pulse: Pulse = { holders: 0, beats: 0, timer, coming: Promise.withResolvers() }
    this.#pulses.set(jobId, pulse)
    return pulse
  }

  #end(jobId: string, { timer }: Pulse): void {
    clearInterval(timer)
    this.#pulses.delete(jobId)
  }
}

/** Resolves with the promise or the signal, whichever comes first. */
async function settled(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise: aborted, resolve } = Promise.withResolvers<void>()
  const stop = (): void => resolve()
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
