import type { Frame } from './frame.ts'
import type { EndOfRunner } from './pool.ts'
import type { RequestQueue } from './queue.ts'
import type { RunnerLink } from './runner-link.ts'

/** What the keeper tells the scheduler. */
export interface KeeperEvents {
  /** Something has changed that may let waiting requests go on: `queue` of that queue, `null` of any. */
  changed(queue: RequestQueue | null): void
  /** A frame that belongs to a request. */
  frame(link: RunnerLink, frame: Frame): void
  /** A runner has ended; what it had in hand is the scheduler's to run again. `changed` follows. */
  ended(link: RunnerLink, how: EndOfRunner): void
  /** Whether requests wait for a runner of a queue. */
  needs(queue: RequestQueue): boolean
  /** A load may be why replicas died: it is not tried again before `acquit` or `condemn`. */
  suspectLoad(queue: RequestQueue): void
}
