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
  ask: () => Promise<{ readonly status: number; readonly json: unknown }>,
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

/** Requests of the functions of a scene, through whichever way leads to them. */
export type RayAsk = (
  name: string,
  json: unknown,
) => Promise<{ readonly status: number; readonly text: string; readonly json: unknown }>

/** Clients of all kinds: quick and slow POSTs, POSTs that must not run twice, and streams. */
export interface MixedRayLoad extends AsyncDisposable {
  readonly outcomes: Readonly<Record<'quick' | 'slow' | 'once' | 'stream', readonly Outcome[]>>
  /** Waits until so many more requests of each kind have ended well. */
  more(count: number): Promise<void>
  /** Lets every client finish what it has under way. */
  stop(): Promise<void>
}

/** Clients that a mixed load has. */
export const mixedClients = 11

/** Starts clients of all kinds, and waits until each kind is answered. */
export async function startMixedRayLoad(ask: RayAsk): Promise<MixedRayLoad> {
  const loads = {
    quick: startRayLoad(4, () => ask('version', {})),
    slow: startRayLoad(3, () => ask('slow', { ms: 400 })),
    once: startRayLoad(2, () => ask('once', { ms: 400 })),
    stream: startRayLoad(2, () => askForStream(ask)),
  }
  const all = Object.values(loads)
  const more = async (count: number): Promise<void> => {
    await Promise.all(all.map((load) => load.more(count)))
  }
  const stop = async (): Promise<void> => {
    await Promise.all(all.map((load) => load.stop()))
  }
  await more(3)
  const { quick, slow, once, stream } = loads
  const outcomes = {
    quick: quick.outcomes,
    slow: slow.outcomes,
    once: once.outcomes,
    stream: stream.outcomes,
  }
  return { outcomes, more, stop, [Symbol.asyncDispose]: stop }
}

/** What no death may do: to POSTs that can be run again anything, to others but a refusal, to streams but break them. */
export function wronged({ quick, slow, once, stream }: MixedRayLoad['outcomes']): readonly Outcome[] {
  const failed = (outcomes: readonly Outcome[]): readonly Outcome[] =>
    outcomes.filter(({ status }) => status !== 200)
  return [
    ...failed([...quick, ...slow]),
    ...failed(once).filter(({ status, code }) => status !== 503 || code !== 'REPLICA_CRASHED'),
    ...stream.filter(({ code }) => code === 'HUNG'),
  ]
}

async function askForStream(ask: RayAsk): Promise<{ status: number; json: unknown }> {
  const { status, json, text } = await ask('stream', { ms: 50, count: 10 })
  const whole = status !== 200 || text.trim().split('\n').length === 10
  return whole ? { status, json } : { status: 0, json: { code: 'BROKEN' } }
}

/** The longest time in which no request ended well, from one moment on. */
export function longestGapMs(outcomes: readonly Outcome[], fromMs: number): number {
  const times = [
    fromMs,
    ...outcomes.filter((o) => o.status === 200 && o.atMs > fromMs).map(({ atMs }) => atMs),
  ]
  return Math.max(0, ...times.slice(1).map((time, index) => time - (times[index] ?? time)))
}

async function withDeadline(
  answer: Promise<{ readonly status: number; readonly json: unknown }>,
): Promise<[number, string]> {
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
