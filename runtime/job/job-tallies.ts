import { Distribution } from '../observe/distribution.ts'
import { NamedCounts } from '../observe/named-counts.ts'
import type { EndState } from './job.ts'

// Jobs take from a blink to a day.
const durationBounds = [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400]

/** What has become here of the jobs of one action. */
export class JobTally {
  readonly function: string
  /** Jobs that were submitted here. */
  submitted = 0
  /** Jobs that wait, whoever runs them, when that was last asked. */
  queued = 0
  /** Jobs that run here now. */
  running = 0
  /** Jobs that have ended here. */
  readonly ended: NamedCounts<EndState> = new NamedCounts()
  /** From submission to the first beginning, in seconds. */
  readonly queueSeconds: Distribution = new Distribution(durationBounds)
  /** From the first beginning to the end, in seconds. */
  readonly runSeconds: Distribution = new Distribution(durationBounds)

  constructor(name: string) {
    this.function = name
  }
}

/** What has become of jobs on this server, action by action. Reading it asks nobody. */
export class JobTallies {
  readonly #tallies = new Map<string, JobTally>()

  /** Every tally. */
  get all(): readonly JobTally[] {
    return [...this.#tallies.values()]
  }

  /** Notes how many jobs wait, by their action. */
  noteQueued(counts: Readonly<Record<string, number>>): void {
    for (const name of Object.keys(counts)) this.of(name)
    for (const tally of this.#tallies.values()) tally.queued = counts[tally.function] ?? 0
  }

  /** The tally of an action; its names are those of the project. */
  of(name: string): JobTally {
    const tally = this.#tallies.get(name) ?? new JobTally(name)
    this.#tallies.set(name, tally)
    return tally
  }
}
