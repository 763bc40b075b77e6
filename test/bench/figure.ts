/** One figure of a benchmark, beside that of a peer. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** Who or what it is held against. */
  readonly peer: string
  readonly peerValue: number
  /** Ours by the peer's. */
  readonly ratio: number
  /** The bound of the ratio: `>= 0.95`, `<= 1.2`; `none` where the figure is there to be known only. */
  readonly goal: string
  /** Whether the ratio meets the goal; where there is none, it does. */
  readonly pass: boolean
  /** What else is to be known to read it, such as the share of a core that the load generator took. */
  readonly notes?: Readonly<Record<string, unknown>>
}

/** What was measured on both sides, round by round. */
export interface Comparison extends Pick<Figure, 'name' | 'unit' | 'peer' | 'goal' | 'notes'> {
  readonly values: readonly number[]
  readonly peerValues: readonly number[]
}

/** What a benchmark measures on both sides. */
export interface Measurement extends Pick<Figure, 'name' | 'unit' | 'peer' | 'goal' | 'notes'> {
  /** Takes one round on our side. */
  readonly ours: () => Promise<number>
  /** Takes one round on the peer's side. */
  readonly theirs: () => Promise<number>
  readonly rounds: number
}

/** Takes one round on each side. */
type Sides = Readonly<Record<string, () => Promise<unknown>>>

/** Rounds of several sides. */
export interface Turns<AllSides extends Sides> {
  /** What is measured, for whoever watches. */
  readonly name: string
  readonly rounds: number
  readonly sides: AllSides
}

/** What came of the rounds of each side. */
export type Outcomes<AllSides extends Sides> = {
  readonly [Side in keyof AllSides]: readonly Awaited<ReturnType<AllSides[Side]>>[]
}

/** Takes the rounds, the sides by turns, the first of each as warm-up, and holds the medians against each other. */
export async function measure({ ours, theirs, rounds, ...about }: Measurement): Promise<Figure> {
  const outcomes = await takeTurns({ name: about.name, rounds, sides: { ours, theirs } })
  return compare({ ...about, values: outcomes.ours, peerValues: outcomes.theirs })
}

/**
 * Takes the rounds of all sides by turns, in their order, and one round of each before as warm-up, which is not
 * among the outcomes. Says on the error output how far it is.
 */
export async function takeTurns<AllSides extends Sides>({
  name,
  rounds,
  sides,
}: Turns<AllSides>): Promise<Outcomes<AllSides>> {
  const turns = Object.entries(sides).map(([side, take]) => ({ side, take, outcomes: [] as unknown[] }))
  for (let round = 0; round <= rounds; round += 1) {
    process.stderr.write(`${name}: ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}\n`)
    for (const { take, outcomes } of turns) {
      const outcome = await take()
      if (round > 0) outcomes.push(outcome)
    }
  }
  // Each side has the outcomes of its own function, which the type of fromEntries cannot say.
  const all: Readonly<Record<string, unknown>> = Object.fromEntries(
    turns.map(({ side, outcomes }) => [side, outcomes]),
  )
  return all as Outcomes<AllSides>
}

/** Holds the medians of both sides against each other. */
export function compare({ name, unit, peer, goal, values, peerValues, notes }: Comparison): Figure {
  const [value, peerValue] = [median(values), median(peerValues)]
  const ratio = value / peerValue
  const figure = { name, value, unit, peer, peerValue, ratio, goal, pass: meets(ratio, goal) }
  return notes === undefined ? figure : { ...figure, notes }
}

/** The middle of some numbers; of two, what lies halfway between them. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

function meets(ratio: number, goal: string): boolean {
  if (goal === 'none') return true
  const [, sign, bound] = /^(>=|<=) (\d+(?:\.\d+)?)$/.exec(goal) ?? []
  if (sign === undefined) throw new TypeError(`"goal" must be such as ">= 0.95", or "none"; got "${goal}".`)
  return sign === '>=' ? ratio >= Number(bound) : ratio <= Number(bound)
}
