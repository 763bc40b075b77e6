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
  /** The bound of the ratio: `>= 0.95`, `<= 1.2`. */
  readonly goal: string
  readonly pass: boolean
  /** What else is to be known to read it, such as the share of a core that the load generator took. */
  readonly notes?: Readonly<Record<string, unknown>>
}

/** What a benchmark measures on both sides. */
export interface Measurement extends Pick<Figure, 'name' | 'unit' | 'peer' | 'goal' | 'notes'> {
  /** Takes one round on our side. */
  readonly ours: () => Promise<number>
  /** Takes one round on the peer's side. */
  readonly theirs: () => Promise<number>
  readonly rounds: number
}

/** Takes the rounds, the sides by turns, the first of each as warm-up, and holds the medians against each other. */
export async function measure(measurement: Measurement): Promise<Figure> {
  const { name, unit, peer, goal, ours, theirs, rounds, notes } = measurement
  const values: number[] = []
  const peerValues: number[] = []
  for (let round = 0; round <= rounds; round += 1) {
    const value = await ours()
    const peerValue = await theirs()
    if (round === 0) continue
    values.push(value)
    peerValues.push(peerValue)
  }
  const [value, peerValue] = [median(values), median(peerValues)]
  const ratio = value / peerValue
  const figure = { name, value, unit, peer, peerValue, ratio, goal, pass: meets(ratio, goal) }
  return notes === undefined ? figure : { ...figure, notes }
}

/** The middle of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

function meets(ratio: number, goal: string): boolean {
  const [sign, bound] = goal.split(' ')
  return sign === '>=' ? ratio >= Number(bound) : ratio <= Number(bound)
}
