/** A request as it is sent. */
export interface TrafficRequest {
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Where there is one it is a POST. */
  readonly body?: string
}

/** Requests that have something in common, and when they are sent. */
export interface TrafficClass {
  readonly name: string
  readonly requests: readonly TrafficRequest[]
  /** Which of the requests is sent first, second and so on, again from the start at the end. @default by turns */
  readonly order?: readonly number[]
  /**
   * How many requests a second are sent, whatever becomes of them, at times that are drawn once and for all. `null`
   * for the most that the connections carry: each sends its next request when it has the reply to its last.
   */
  readonly perSecond: number | null
  /** The most connections. One is opened when none is free; a request that finds none is `unsent`. */
  readonly connections: number
}

/** What is sent to a server, and for how long. */
export interface Traffic {
  readonly url: string
  /** Sent first, and counted by nobody. */
  readonly warmUpSeconds: number
  readonly seconds: number
  /** How long the last replies are waited for. @default 10 */
  readonly patienceSeconds?: number
  readonly classes: readonly TrafficClass[]
}

/** What became of the requests of one class. */
export interface ClassOutcome {
  readonly name: string
  readonly sent: number
  /** Replies of a status below 400. */
  readonly ok: number
  /** All others, by status; `connection` where the connection broke, `unanswered` where no reply came in time. */
  readonly failed: Readonly<Record<string, number>>
  /** Requests for which no connection was free. */
  readonly unsent: number
  readonly okPerSecond: number
  /** From the time at which the request was to be sent to its whole reply, of those that are `ok`. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** How late the generator was to send. */
  readonly lateP99Ms: number
}

/** What became of traffic. */
export interface TrafficOutcome {
  readonly classes: readonly ClassOutcome[]
  /** The cores that the load generator kept busy, on average. */
  readonly generatorCores: number
}

const generator = new URL('./open-loop.ts', import.meta.url).pathname

/**
 * Sends traffic by a load generator that is a process of its own.
 *
 * @throws {Error} where the generator fails; requests that fail are counted.
 */
export async function sendTraffic(traffic: Traffic): Promise<TrafficOutcome> {
  const child = Bun.spawn([process.execPath, generator], {
    stdin: new Blob([JSON.stringify(traffic)]),
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const [text, code] = await Promise.all([new Response(child.stdout).text(), child.exited])
  if (code !== 0) throw new Error(`The load generator ended with ${code}.`)
  return JSON.parse(text)
}

/** The outcome of the class of a name. @throws {RangeError} where there is none. */
export function outcomeOf({ classes }: TrafficOutcome, name: string): ClassOutcome {
  const found = classes.find((outcome) => outcome.name === name)
  if (!found) throw new RangeError(`There is no class "${name}".`)
  return found
}

/**
 * The outcome of a class of which each request has to come to a good end.
 *
 * @throws {Error} where one did not, or there was none.
 */
export function flawlessOutcomeOf(traffic: TrafficOutcome, name: string): ClassOutcome {
  const outcome = outcomeOf(traffic, name)
  if (outcome.ok === 0 || failuresOf(outcome) > 0) {
    throw new Error(`Requests of the class "${name}" failed: ${JSON.stringify(outcome)}`)
  }
  return outcome
}

/** How many requests of a class did not come to a good end, whether they were sent or not. */
export function failuresOf({ failed, unsent }: ClassOutcome): number {
  return Object.values(failed).reduce((sum, count) => sum + count, unsent)
}
