import { readFileSync } from 'node:fs'
import type { ReplicaProcess } from './replica-process.ts'

/** Between two looks; a replica says each second how it is. */
const lookMs = 1_000
/** A look that comes later than this says nothing of the replicas: the gateway itself, or its machine, stood still. */
const lateMs = 2 * lookMs
/** Silent looks in a row after which a replica is given up; fewer where the system says that it is stopped. */
const maxSilence = 10
const maxSilenceStopped = 3

/**
 * Looks after replicas whose process lives but does nothing any more: it was stopped, its memory is on a disk, or
 * its main thread stands still. What they have in hand would wait for its deadline. One in the hands of a debugger
 * is left alone.
 */
export class SilenceWatch {
  readonly #replicas: Iterable<ReplicaProcess>
  readonly #givenUp: (replica: ReplicaProcess) => void
  readonly #timer: Timer
  #lookedMs: number = performance.now()

  constructor(replicas: Iterable<ReplicaProcess>, givenUp: (replica: ReplicaProcess) => void) {
    this.#replicas = replicas
    this.#givenUp = givenUp
    this.#timer = setInterval(() => this.#look(), lookMs).unref()
  }

  /** Looks no more. */
  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const nowMs = performance.now()
    const late = nowMs - this.#lookedMs > lateMs
    this.#lookedMs = nowMs
    for (const replica of this.#replicas) {
      if (!replica.ready || late) replica.silence = 0
      else replica.silence += 1
      if (replica.silence > maxSilenceStopped && isGivenUp(replica)) this.#givenUp(replica)
    }
  }
}

function isGivenUp({ silence, pid, node }: ReplicaProcess): boolean {
  const state = process.platform === 'linux' && node === null ? runStateOf(pid) : null
  if (state === 't') return false
  return state === 'T' || silence > maxSilence
}

/** What the kernel says of a process: `T` is stopped by a signal, `t` by a debugger. */
function runStateOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name before it is in parentheses, and may hold some.
    return stat[stat.lastIndexOf(')') + 2] ?? null
  } catch {
    return null
  }
}
