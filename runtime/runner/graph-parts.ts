import type { ModelInfo } from '../define/context.ts'
import type { Definition } from '../define/definition.ts'
import type { HandleOptions } from '../define/handle.ts'
import type {
  CalledFunction,
  FunctionHandles,
  FunctionHandlesOptions,
  LocalModel,
} from './function-handles.ts'

/** A model that is held for a function which a graph calls. */
export interface HeldPart {
  /** The function's name. */
  readonly function: string
  /** The model that the graph asks it for; `null` where that is left to the token, then to the function. */
  readonly asked: string | null
  /** The model's key. */
  readonly key: string
  readonly model: ModelInfo
}

/** The models that are held with a graph: its functions answer beside it with these. */
export class GraphParts {
  readonly #parts: ReadonlyMap<string, HeldPart>
  readonly #isApart: (name: string) => boolean

  /** @param isApart whether a function is run by nobody but its own deployment; by default none is */
  constructor(parts: readonly HeldPart[], isApart: (name: string) => boolean = () => false) {
    this.#isApart = isApart
    this.#parts = new Map(parts.map((part) => [questionOf(part.function, part.asked), part]))
  }

  /** What says where functions answer: beside the graph with a model that is held, else as `otherwise` has it. */
  placement(otherwise: FunctionHandlesOptions['place']): FunctionHandlesOptions['place'] {
    if (this.#parts.size === 0) return otherwise
    return (fn, options, opening) => this.#find(fn, options) ?? otherwise(fn, options, opening)
  }

  /**
   * Loads the functions that a graph calls, those of graphs within it included, as far as they answer beside it: with a
   * model that is held, or without any.
   */
  async load({ graph }: Definition, handles: FunctionHandles): Promise<void> {
    for (const { work } of graph?.nodes ?? []) {
      if (work.kind !== 'function' || work.options.deployment !== undefined) continue
      const { definition, options } = work
      const name = handles.nameOf(definition)
      if (name !== null && this.#isApart(name)) continue
      const model = this.#find({ definition, name }, options)
      if (model || !definition.model) await handles.load(definition, model)
      await this.load(definition, handles)
    }
  }

  #find({ name, definition }: CalledFunction, { model, deployment }: HandleOptions): LocalModel | null {
    if (name === null || !definition.model || deployment !== undefined) return null
    const part = this.#parts.get(questionOf(name, model ?? null))
    return part ? { key: part.key, prepare: async () => part.model } : null
  }
}

function questionOf(name: string, asked: string | null): string {
  return JSON.stringify([name, asked])
}
