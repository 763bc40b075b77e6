import { assertInput, inputInvalid, isCount } from './input.ts'
import { isModelId } from './model-id.ts'
import type { AliasTarget } from './registered-model.ts'

/** Which versions of a model are meant: the newest one, a certain one, or those that an alias names. */
export type ModelSelector =
  | { readonly kind: 'newest' }
  | { readonly kind: 'version'; readonly version: number }
  | { readonly kind: 'alias'; readonly alias: string }

/** A model as people and tokens name it. */
export interface ModelName {
  readonly id: string
  readonly selector: ModelSelector
}

const aliasPattern = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/
const versionPattern = /^[1-9]\d{0,14}$/
const targetPattern = /^([1-9]\d{0,14})(?::([1-9]\d{0,6}))?$/
const mostTargets = 16
const highestWeight = 1_000_000

/** Whether a value may be an alias: a letter, then letters, digits, `.`, `_` and `-`, 64 at most. No version is one. */
export function isAlias(value: unknown): value is string {
  return typeof value === 'string' && aliasPattern.test(value)
}

/** Reads `digits`, `digits@3` or `digits@prod`; `null` where it is nothing of the kind. */
export function parseModelName(text: string): ModelName | null {
  const [id = '', selected, ...rest] = text.split('@')
  if (!isModelId(id) || rest.length > 0) return null
  const selector = parseSelector(selected)
  return selector && Object.freeze({ id, selector })
}

/**
 * Reads what an alias is to mean: `3`, or versions with their weights, as in `3:90,4:10`. Where no weight is given
 * it is 1.
 *
 * @throws {IsoplexError} `INPUT_INVALID`
 */
export function parseTargets(text: string): readonly AliasTarget[] {
  const targets = text.split(',', mostTargets + 1).map((part) => {
    const [, version, weight = '1'] = targetPattern.exec(part) ?? []
    if (version !== undefined) return Object.freeze({ version: Number(version), weight: Number(weight) })
    throw inputInvalid([{ path: '/targets', message: 'must be a version, or weights as in 3:90,4:10' }])
  })
  assertTargets(targets)
  return Object.freeze(targets)
}

/**
 * Holds the targets of an alias to their bounds: 1 to 16 versions, none of them twice, each with a weight from 1 to
 * 1,000,000.
 *
 * @throws {IsoplexError} `INPUT_INVALID`
 */
export function assertTargets(targets: readonly AliasTarget[]): void {
  const few = Array.isArray(targets) && targets.length >= 1 && targets.length <= mostTargets
  const listed = few && targets.every((target) => typeof target === 'object' && target !== null)
  assertInput(['/targets', listed, `1 to ${mostTargets} versions`])
  const distinct = new Set(targets.map(({ version }) => version)).size === targets.length
  const whole = targets.every(({ version }) => isCount(version))
  const weighed = targets.every(({ weight }) => isCount(weight) && weight <= highestWeight)
  assertInput(
    ['/targets', whole, 'versions, which are whole numbers from 1'],
    ['/targets', distinct, 'versions that differ'],
    ['/targets', weighed, `weighed by whole numbers from 1 to ${highestWeight}`],
  )
}

function parseSelector(text: string | undefined): ModelSelector | null {
  if (text === undefined) return { kind: 'newest' }
  if (versionPattern.test(text)) return { kind: 'version', version: Number(text) }
  return isAlias(text) ? { kind: 'alias', alias: text } : null
}
