import { createHash } from 'node:crypto'
import type { ResolvedModel } from './resolve.ts'

/** One of the models that a runner holds together: that of a function among those that a graph is made of. */
export interface ModelPart {
  /** The function's name. */
  readonly function: string
  /** The model that the graph asks it for; `null` where that is left to the token, then to the function. */
  readonly asked: string | null
  readonly model: ResolvedModel
}

/**
 * Puts models together that one runner holds: equal parts make an equal key. A model that several functions use counts
 * for each of them, since each loads its own.
 */
export function composeModels(parts: readonly ModelPart[]): ResolvedModel {
  const loaded = [...new Map(parts.map((part) => [`${part.function} ${part.model.key}`, part])).values()]
  const models = loaded.map(({ model }) => model)
  const digest = createHash('sha256')
    .update(models.map((model) => model.digest).join())
    .digest('hex')
  const info = Object.freeze({
    id: joined(models.map((model) => model.info.id)),
    version: joined(models.map((model) => model.info.version)),
    path: '',
  })
  return Object.freeze({
    key: joined(models.map((model) => model.key)),
    digest,
    bytes: models.reduce((sum, { bytes }) => sum + bytes, 0),
    info,
    parts: Object.freeze([...parts]),
  })
}

/** The digests of all artifacts that a model is made of. */
export function digestsOf({ digest, parts }: Pick<ResolvedModel, 'digest' | 'parts'>): readonly string[] {
  return parts ? parts.map(({ model }) => model.digest) : [digest]
}

/** A plus stands in no key: `toModelKey` encodes it. */
function joined(texts: readonly string[]): string {
  return texts.join('+')
}
