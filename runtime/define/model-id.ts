import { type TSchema, type TString, Type } from '@sinclair/typebox'

/** Parameters that name a model by these names do so whatever their schema says, as those of Synapse's plugins do. */
const usualNames = ['model', 'model_id', 'modelId']
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

/** The ids of models in a value that fits its schema: what {@link modelId} marks, and texts by the usual names. */
export function modelIdsIn(schema: TSchema, value: unknown): readonly string[] {
  const ids = new Set<string>()
  visit(schema, value)
  if (isRecord(value)) {
    for (const name of usualNames) {
      const id = Object.hasOwn(value, name) ? value[name] : undefined
      if (typeof id === 'string') ids.add(id)
    }
  }
  return [...ids]

  function visit(part: unknown, found: unknown): void {
    if (!isRecord(part)) return
    if (part[mark] === true && typeof found === 'string') ids.add(found)
    for (const several of [part.anyOf, part.allOf]) {
      if (Array.isArray(several)) for (const alternative of several) visit(alternative, found)
    }
    if (Array.isArray(found)) for (const item of found) visit(part.items, item)
    else if (isRecord(found) && isRecord(part.properties)) {
      for (const [name, property] of Object.entries(part.properties)) visit(property, found[name])
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
