import { isRecord } from './schema.ts'

/**
 * The numbers of an answer that are drawn over the sound that was sent: the first list in it whose numbers all lie
 * from 0 to 1, as probabilities do. `null` where it has none.
 */
export function firstShares(output: unknown): readonly number[] | null {
  const lists = isRecord(output) ? Object.values(output) : [output]
  return lists.find(isShares) ?? null
}

function isShares(value: unknown): value is readonly number[] {
  if (!Array.isArray(value) || value.length === 0) return false
  return value.every((item) => typeof item === 'number' && item >= 0 && item <= 1)
}
