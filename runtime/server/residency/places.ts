import type { ResolvedModel } from '../../model/resolve.ts'
import type { ResidencyReport, ResidentReport } from '../../replica/residency-report.ts'

/** A pin that outlives the versions of its function. */
export interface Pin {
  readonly functionName: string
  readonly model: ResolvedModel
}

/** A model in a function, loaded or pinned, however many copies of it there are. */
export interface Place {
  /** As {@link placeId} makes it. */
  readonly id: string
  readonly functionName: string
  readonly modelKey: string
  /** The models of that id: the one that is loaded there, or those among the models of a graph. */
  readonly models: readonly PlacedVersion[]
  readonly pinned: boolean
}

/** A version of a model that is in a place. */
export interface PlacedVersion {
  readonly key: string
  readonly version: string
}

/** Which places are looked for. */
export interface PlaceQuestion {
  /** The model's id, without a version or an alias. */
  readonly id: string
  /** `null` for every function. */
  readonly functionName: string | null
}

/** What tells one place from another. */
export function placeId(functionName: string, modelKey: string): string {
  return `${functionName} ${modelKey}`
}

/** Every place in which a model of that id is loaded or pinned, whatever its version and whosever it is. */
export function findPlaces(
  { id: modelId, functionName }: PlaceQuestion,
  { replicas }: ResidencyReport,
  pins: Iterable<Pin>,
): readonly Place[] {
  const places = new Map<string, Place>()
  const add = (place: Omit<Place, 'id'>): void => {
    if ((functionName ?? place.functionName) !== place.functionName) return
    const id = placeId(place.functionName, place.modelKey)
    places.set(id, { ...place, id, pinned: place.pinned || places.get(id)?.pinned === true })
  }
  for (const { functionName: name, model } of pins) {
    const { key: modelKey, info } = model
    const models = info.id === modelId ? [{ key: modelKey, version: info.version }] : []
    if (models.length > 0) add({ functionName: name, modelKey, models, pinned: true })
  }
  for (const resident of replicas.flatMap(({ runners }) => runners)) {
    const { deployment: name, modelKey, pinned } = resident
    const models = versionsIn(resident, modelId)
    if (models.length > 0 && modelKey !== null) add({ functionName: name, modelKey, models, pinned })
  }
  return [...places.values()]
}

function versionsIn(
  { modelKey, modelId, version, parts }: ResidentReport,
  wanted: string,
): readonly PlacedVersion[] {
  const held = parts.length > 0 ? parts : [{ modelKey, modelId, version }]
  return held.flatMap((part) =>
    part.modelId === wanted && part.modelKey !== null && part.version !== null
      ? [{ key: part.modelKey, version: part.version }]
      : [],
  )
}
