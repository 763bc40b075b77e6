import type { Numbers } from './numbers.ts'

/** How a line is turned. */
export interface Orientation {
  /** 180 where it stands on its head, and the model is sure of it. */
  readonly degrees: 0 | 180
  /** How sure, 0 to 1. */
  readonly score: number
}

/** Less sure than this, a line stays as it is. */
const leastScore = 0.9

/** What the orientation model says of some lines: for each, how likely it is upright and on its head. */
export function orientationsOf({ data, dims }: Numbers): Orientation[] {
  return Array.from({ length: dims[0] ?? 0 }, (_, line) => {
    const [upright, turned] = [data[2 * line] as number, data[2 * line + 1] as number]
    return { degrees: turned > upright && turned >= leastScore ? 180 : 0, score: Math.max(upright, turned) }
  })
}
