import { isRecord } from './schema.ts'

/** A place in a picture as x and y, pixels from its left and top edge. */
export type Corner = readonly [x: number, y: number]

/** A part of a picture that an answer tells of. */
export interface MarkedBox {
  readonly corners: readonly Corner[]
  /** What stands there, where the answer says. */
  readonly text: string
}

/** What of an answer is drawn over what was sent. */
export interface Overlay {
  /** Numbers from 0 to 1, spread evenly over a sound. */
  readonly shares: readonly number[] | null
  /** Parts of a picture. */
  readonly boxes: readonly MarkedBox[]
}

/** Nothing is drawn. */
export const noOverlay: Overlay = { shares: null, boxes: [] }

/** More boxes are not drawn. */
const mostBoxes = 1_000

/**
 * What of an answer is drawn: the first list in it whose numbers all lie from 0 to 1, as probabilities do, and the first
 * list of objects that each have a `box` of four corners, with their `text`.
 */
export function overlayOf(output: unknown): Overlay {
  const lists = isRecord(output) ? Object.values(output) : [output]
  return { shares: lists.find(isShares) ?? null, boxes: (lists.find(isBoxes) ?? []).map(toMarkedBox) }
}

function isShares(value: unknown): value is readonly number[] {
  if (!Array.isArray(value) || value.length === 0) return false
  return value.every((item) => typeof item === 'number' && item >= 0 && item <= 1)
}

interface Boxed {
  readonly box: readonly Corner[]
  readonly text?: unknown
}

function isBoxes(value: unknown): value is readonly Boxed[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > mostBoxes) return false
  return value.every((item) => isRecord(item) && isQuadrilateral(item.box))
}

function isQuadrilateral(value: unknown): boolean {
  return Array.isArray(value) && value.length === 4 && value.every(isCorner)
}

function isCorner(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(Number.isFinite)
}

function toMarkedBox({ box, text }: Boxed): MarkedBox {
  return { corners: box, text: typeof text === 'string' ? text : '' }
}
