import { assertStep, type Step } from './step.ts'

/** The steps of an action, in their order, for those who put them together bit by bit. Iterating gives the steps. */
export interface StepRegistry<Params = unknown> extends Iterable<Step<Params>> {
  /** How many steps there are. */
  readonly length: number
  /** The sum of the weights. */
  readonly totalWeight: number
  /** The step of a name; `undefined` where there is none. */
  get(name: string): Step<Params> | undefined
  /** Adds a step at the end. @throws {TypeError} where there is one of that name. */
  register(step: Step<Params>): this
  /** Takes a step out. @throws {TypeError} where there is none of that name: a slip would leave the step in. */
  unregister(name: string): this
  /** Adds a step right before another. @throws {TypeError} where that one is not there, or one of the new name is. */
  insertBefore(name: string, step: Step<Params>): this
  /** Adds a step right after another. @throws {TypeError} where that one is not there, or one of the new name is. */
  insertAfter(name: string, step: Step<Params>): this
}

/**
 * Makes a registry of steps. An action takes the steps that are in it when it is defined.
 *
 * @example
 * const steps = createStepRegistry([fetchArchive, infer])
 * steps.insertAfter('fetch', timedStep(decode))
 * export default defineAction({ steps })
 *
 * @throws {TypeError} where two of the steps have one name.
 */
export function createStepRegistry<Params = unknown>(
  steps: Iterable<Step<Params>> = [],
): StepRegistry<Params> {
  const registry = new ListedSteps<Params>()
  for (const step of steps) registry.register(step)
  return registry
}

class ListedSteps<Params> implements StepRegistry<Params> {
  readonly #steps: Step<Params>[] = []

  get length(): number {
    return this.#steps.length
  }

  get totalWeight(): number {
    return this.#steps.reduce((sum, { weight }) => sum + weight, 0)
  }

  get(name: string): Step<Params> | undefined {
    return this.#steps.find((step) => step.name === name)
  }

  register(step: Step<Params>): this {
    return this.#insert(this.#steps.length, step)
  }

  unregister(name: string): this {
    this.#steps.splice(this.#indexOf(name), 1)
    return this
  }

  insertBefore(name: string, step: Step<Params>): this {
    return this.#insert(this.#indexOf(name), step)
  }

  insertAfter(name: string, step: Step<Params>): this {
    return this.#insert(this.#indexOf(name) + 1, step)
  }

  [Symbol.iterator](): Iterator<Step<Params>> {
    return [...this.#steps][Symbol.iterator]()
  }

  #insert(index: number, step: Step<Params>): this {
    assertStep(step)
    if (this.get(step.name)) throw new TypeError(`The step "${step.name}" is registered twice.`)
    this.#steps.splice(index, 0, step)
    return this
  }

  #indexOf(name: string): number {
    const index = this.#steps.findIndex((step) => step.name === name)
    if (index !== -1) return index
    const known = this.#steps.map((step) => `"${step.name}"`).join(', ')
    throw new TypeError(`There is no step "${name}"; there are ${known || 'none'}.`)
  }
}
