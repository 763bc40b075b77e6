import type { ResolvedModel } from '../../model/resolve.ts'
import type { ResidencyReport } from '../../replica/residency-report.ts'

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
  readonly version: string | null
  readonly pinned: boolean
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
    if (info.id === modelId) add({ functionName: name, modelKey, version: info.version, pinned: true })
  }
  for (const resident of replicas.flatMap(({ runners }) => runners)) {
    const { deployment: name, modelKey, version, pinned } = resident
    if (resident.modelId === modelId && modelKey !== null)
      add({ functionName: name, modelKey, version, pinned })
  }
  return [...places.values()]
}
