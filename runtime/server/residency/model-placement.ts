import type { FunctionLog } from '../../define/context.ts'
import type { ResolvedModel } from '../../model/resolve.ts'
import type { Deployment } from '../../replica/deployment.ts'
import type { BacklogReport, ResidencyControl } from '../../replica/residency-control.ts'
import type { ResidencyReport } from '../../replica/residency-report.ts'
import type { ServedFunction } from '../exchange.ts'
import type { ModelSource } from '../model-access.ts'
import { chooseFunctions, idOf, type PlacementQuestion } from './function-choice.ts'
import { findPlaces, type Pin, type Place, placeId } from './places.ts'
import { Preloading, type PreloadingOptions, type PreloadState, warnOf } from './preloading.ts'

/** What a placement works with. */
export interface ModelPlacementOptions extends PreloadingOptions {
  readonly residency: ResidencyControl
  readonly source: Pick<ModelSource, 'find' | 'prepare'>
  readonly log: FunctionLog
}

/** A model that was loaded for a function. */
export interface PlacedModel {
  readonly function: string
  readonly id: string
  readonly version: string
  readonly pinned: boolean
}

/** What is loaded where, and what waits for it. */
export interface PlacementReport extends ResidencyReport {
  readonly backlog: readonly BacklogReport[]
}

/** The principal in whose name an operator's models are loaded. */
export const operator = 'operator'

/**
 * Loads, pins and unloads models by their names, for an operator. A pinned model is loaded anew when its function
 * has a new version; an alias means then what it meant when the model was pinned.
 */
export class ModelPlacement {
  readonly #options: ModelPlacementOptions
  readonly #pins = new Map<string, Pin>()
  readonly #preloading: Preloading
  #functions: readonly ServedFunction[] = []

  constructor(options: ModelPlacementOptions) {
    this.#options = options
    this.#preloading = new Preloading(options)
  }

  /** How far {@link preload} has come. */
  get preloads(): PreloadState {
    return this.#preloading.state
  }

  /** What is loaded where, what has left lately, and what waits. */
  report(): PlacementReport {
    const { residency } = this.#options
    return { ...residency.report(), backlog: residency.backlog() }
  }

  /** Names the functions that are served from now on, and loads what is pinned for their new versions. */
  follow(functions: readonly ServedFunction[]): void {
    const before = new Set(this.#functions.map(({ deployment }) => deployment.id))
    this.#functions = functions
    for (const pin of this.#pins.values()) {
      const served = functions.find(({ manifest }) => manifest.name === pin.functionName)
      if (!served || before.has(served.deployment.id)) continue
      const { functionName, model } = pin
      this.#load(functionName, served.deployment, model, { pin: true }).catch((error: unknown) =>
        warnOf(this.#options.log, 'A pinned model is not loaded for the new version of its function', {
          function: functionName,
          model: model.info.id,
          error,
        }),
      )
    }
  }

  /** Loads the models of the configuration, once; resolves when each is loaded or has failed, which is logged. */
  preload(): Promise<void> {
    // What is to be pinned for as long as the server runs stays so where its first load fails.
    return this.#preloading.run((question, { pin }) =>
      this.#place(question, (...place) => this.#load(...place, { pin })),
    )
  }

  /**
   * Loads every version that a name means for every function that it is meant for, and waits until they are loaded. A
   * model that cannot be loaded is not pinned either.
   *
   * @throws {IsoplexError} `INPUT_INVALID` where the functions are not clear; whatever `Backend.find`,
   * `ModelResolver.prepare` and {@link ResidencyControl.load} throw.
   */
  async load(
    question: PlacementQuestion,
    { pin }: { readonly pin: boolean },
  ): Promise<readonly PlacedModel[]> {
    return await this.#place(question, async (functionName, deployment, model) => {
      const isNew = pin && !this.#pins.has(placeId(functionName, model.key))
      try {
        await this.#load(functionName, deployment, model, { pin })
      } catch (error) {
        if (isNew) this.#unpin(functionName, model.key)
        throw error
      }
      const { id, version } = model.info
      return { function: functionName, id, version, pinned: pin }
    })
  }

  /**
   * Unloads a model, all its versions where none is named, and waits until it has gone. Requests may load it again.
   *
   * @returns how many runners went
   * @throws {IsoplexError} `MODEL_NOT_FOUND` and the others of `Backend.find` and `ModelResolver.prepare`, of an alias or
   * a tenant only.
   */
  async unload(question: PlacementQuestion): Promise<number> {
    const places = await this.#placesOf(question)
    for (const { id } of places) this.#pins.delete(id)
    const { residency } = this.#options
    const counts = await Promise.all(
      places.map(({ functionName, modelKey }) => residency.unload(functionName, modelKey)),
    )
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /**
   * Takes the pins from a model, of all its versions where none is named. It stays loaded as long as it is used.
   *
   * @returns how many models had one
   * @throws {IsoplexError} as {@link unload}
   */
  async unpin(question: PlacementQuestion): Promise<number> {
    const places = await this.#placesOf(question)
    for (const { functionName, modelKey } of places) this.#unpin(functionName, modelKey)
    return places.filter(({ pinned }) => pinned).length
  }

  /** Does something for every version that a name means and every function that it is meant for. */
  async #place<Result>(
    question: PlacementQuestion,
    load: (functionName: string, deployment: Deployment, model: ResolvedModel) => Promise<Result>,
  ): Promise<readonly Result[]> {
    const { model, functionName } = question
    const holders = new Set(this.#known(question).map((place) => place.functionName))
    const functions = chooseFunctions(this.#functions, { model, functionName, holders })
    const models = await this.#resolve(question)
    return await Promise.all(
      functions.flatMap(({ manifest: { name }, deployment }) =>
        models.map((resolved) => load(name, deployment, resolved)),
      ),
    )
  }

  async #load(
    functionName: string,
    deployment: Deployment,
    model: ResolvedModel,
    { pin }: { readonly pin: boolean },
  ): Promise<void> {
    if (pin) this.#pins.set(placeId(functionName, model.key), { functionName, model })
    await this.#options.residency.load(deployment, model, { pin, principal: operator })
  }

  #unpin(functionName: string, modelKey: string): void {
    this.#pins.delete(placeId(functionName, modelKey))
    this.#options.residency.setPinned(functionName, modelKey, false)
  }

  async #resolve({ model, tenant }: PlacementQuestion): Promise<readonly ResolvedModel[]> {
    const { source } = this.#options
    const found = await source.find({ modelId: model, tenant, accessToken: null, proven: true })
    return await Promise.all(found.versions.map(({ record }) => source.prepare(record, found.tenant)))
  }

  /** Where a model is loaded or pinned. The backend is asked only where the name alone does not tell. */
  async #placesOf(question: PlacementQuestion): Promise<readonly Place[]> {
    const known = this.#known(question)
    const selected = selectorOf(question.model)
    const plain = question.tenant === null
    if (plain && selected === null) return known
    const versions = known.filter(({ models }) => models.some(({ version }) => version === selected))
    if (known.length === 0 || (plain && versions.length > 0)) return versions
    const keys = new Set((await this.#resolve(question)).map(({ key }) => key))
    return known.filter(({ models }) => models.some(({ key }) => keys.has(key)))
  }

  #known({ model, functionName }: PlacementQuestion): readonly Place[] {
    const report = this.#options.residency.report()
    return findPlaces({ id: idOf(model), functionName }, report, this.#pins.values())
  }
}

/** What stands behind the id: a version or an alias. */
function selectorOf(model: string): string | null {
  const id = idOf(model)
  return id === model ? null : model.slice(id.length + 1)
}
