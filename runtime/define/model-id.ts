import { type TSchema, type TString, Type } from '@sinclair/typebox'

/** Parameters that name a model by these names do so whatever their schema says, as those of Synapse's plugins do. */
const usualNames = ['modelId', 'model_id', 'model']
const mark = 'x-isoplex-model-id'
const longestId = 256

/**
 * The id of a model among the parameters of an action, such as `digits`, `digits@3` or `digits@prod`: whoever submits a
 * job must have a right to the model, and still when the job goes on in another process.
 *
 * @example
 * params: Type.Object({ modelId: modelId({ default: 'digits' }) })
 */
export function modelId(options: { readonly default?: string; readonly description?: string } = {}): TString {
  return Type.String({ minLength: 1, maxLength: longestId, ...options, [mark]: true })
}

/**
 * The ids of models in a value that fits its schema: what {@link modelId} marks, and texts and numbers by the usual
 * names.
 */
export function modelIdsIn(schema: TSchema, value: unknown): readonly string[] {
  const ids = new Set(namedModelIds(value))
  visit(schema, value)
  return [...ids]

  function visit(part: unknown, found: unknown): void {
    if (!isRecord(part)) return
    if (part[mark] === true && typeof found === 'string') ids.add(found)
    for (const several of [part.anyOf, part.allOf]) {
      if (Array.isArray(several)) for (const alternative of several) visit(alternative, found)
    }
    if (Array.isArray(found)) visitItems(part.items, found)
    else if (isRecord(found)) visitMembers(part, found)
  }

  function visitItems(items: unknown, found: readonly unknown[]): void {
    for (const [index, item] of found.entries()) visit(Array.isArray(items) ? items[index] : items, item)
  }

  function visitMembers({ properties, patternProperties }: Record<string, unknown>, found: object): void {
    for (const [name, member] of Object.entries(found)) {
      if (isRecord(properties) && Object.hasOwn(properties, name)) visit(properties[name], member)
      else if (isRecord(patternProperties)) {
        for (const property of Object.values(patternProperties)) visit(property, member)
      }
    }
  }
}

/** The id of the model that parameters are about: that by `modelId`, else `model_id`, else `model`; else `null`. */
export function namedModelId(params: unknown): string | null {
  return namedModelIds(params)[0] ?? null
}

/** What stands by the usual names. Synapse's ids are numbers. */
function namedModelIds(params: unknown): readonly string[] {
  if (!isRecord(params)) return []
  return usualNames.flatMap((name) => {
    const id = Object.hasOwn(params, name) ? params[name] : undefined
    return (typeof id === 'string' && id !== '') || typeof id === 'number' ? [String(id)] : []
  })
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
