/** What became of one request. */
export interface Outcome {
  readonly status: number
  /** Of the problem that it was answered with, else of what kept the answer away; empty where all is well. */
  readonly code: string
  readonly tookMs: number
  /** When it ended, as `performance.now()` has it. */
  readonly atMs: number
}

/** Clients that ask one after another. */
export interface RayLoad {
  readonly outcomes: readonly Outcome[]
  /** Waits until so many more requests have ended well. */
  more(count: number): Promise<void>
  /** Lets every client finish what it has under way. */
  stop(): Promise<readonly Outcome[]>
}

/** Nothing may take longer: what does has hung. */
const deadlineMs = 45_000

/** Starts clients; each asks at once again when it has its answer. */
export function startRayLoad(
  clients: number,
  ask: () => Promise<{ status: number; json: unknown }>,
): RayLoad {
  const outcomes: Outcome[] = []
  let stopping = false
  const client = async (): Promise<void> => {
    while (!stopping) {
      const startMs = performance.now()
      const [status, code] = await withDeadline(ask())
      const atMs = performance.now()
      outcomes.push({ status, code, tookMs: atMs - startMs, atMs })
      // Who is refused at once would otherwise do nothing but ask.
      if (status !== 200) await Bun.sleep(20)
    }
  }
  const all = Promise.all(Array.from({ length: clients }, client))
  return {
    outcomes,
    async more(count) {
      const good = (): number => outcomes.filter(({ status }) => status === 200).length
      const wanted = good() + count
      while (good() < wanted) await Bun.sleep(20)
    },
    async stop() {
      stopping = true
      await all
      return outcomes
    },
  }
}

/** The longest time in which no request ended well, from one moment on. */
export function longestGapMs(outcomes: readonly Outcome[], fromMs: number): number {
  const times = [
    fromMs,
    ...outcomes.filter((o) => o.status === 200 && o.atMs > fromMs).map(({ atMs }) => atMs),
  ]
  return Math.max(0, ...times.slice(1).map((time, index) => time - (times[index] ?? time)))
}

async function withDeadline(answer: Promise<{ status: number; json: unknown }>): Promise<[number, string]> {
  const deadline = Promise.withResolvers<[number, string]>()
  const timer = setTimeout(() => deadline.resolve([0, 'HUNG']), deadlineMs)
  const told = answer.then(
    ({ status, json }): [number, string] => [
      status,
      status === 200 ? '' : String(Object(json).code ?? 'none'),
    ],
    (error: unknown): [number, string] => [0, error instanceof Error ? error.message : String(error)],
  )
  try {
    return await Promise.race([told, deadline.promise])
  } finally {
    clearTimeout(timer)
  }
}
