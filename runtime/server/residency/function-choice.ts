import { invalidInput } from '../../runner/refusal.ts'
import type { ServedFunction } from '../exchange.ts'

/** Which model of which functions is meant. */
export interface PlacementQuestion {
  /** The model as a token names it: `digits`, `digits@3` or `digits@prod`. */
  readonly model: string
  /** The function; `null` leaves it to {@link chooseFunctions}, and means all where it is about what is loaded. */
  readonly functionName: string | null
  /** Whose model it is; `null` for one that is nobody's, and for any where it is about what is loaded. */
  readonly tenant: string | null
}

/** What decides for which functions a model is loaded. */
export interface FunctionQuestion {
  /** The model as a token names it, such as `digits@3`. */
  readonly model: string
  /** The function that is named; `null` where none is. */
  readonly functionName: string | null
  /** The functions that have the model loaded already. */
  readonly holders: ReadonlySet<string>
}

/**
 * Chooses for which functions a model is meant: the one that is named, else those whose default it is, else the only
 * one that takes a model, else those that have it loaded.
 *
 * @throws {IsoplexError} `INPUT_INVALID` that names the functions there are.
 */
export function chooseFunctions(
  functions: readonly ServedFunction[],
  { model, functionName, holders }: FunctionQuestion,
): readonly ServedFunction[] {
  const candidates = functions.filter(({ manifest }) => manifest.model)
  const names = candidates.map(({ manifest }) => manifest.name).join(', ') || 'none'
  if (functionName !== null) {
    const named = candidates.filter(({ manifest }) => manifest.name === functionName)
    if (named.length > 0) return named
    throw invalidInput('/function', `There is no such function with a model; there are: ${names}`)
  }
  const id = idOf(model)
  const byDefault = candidates.filter(({ manifest }) => idOf(manifest.model?.default ?? '') === id)
  if (byDefault.length > 0) return byDefault
  if (candidates.length === 1) return candidates
  const holding = candidates.filter(({ manifest }) => holders.has(manifest.name))
  if (holding.length > 0) return holding
  throw invalidInput('/function', `Several functions might use this model, name one; there are: ${names}`)
}

/** A model's id without the version or the alias. */
export function idOf(model: string): string {
  const at = model.lastIndexOf('@')
  return at > 0 ? model.slice(0, at) : model
}
