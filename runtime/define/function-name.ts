import type { Definition } from './definition.ts'

/** A definition is of one function, so its name holds wherever the definition goes. */
const names = new WeakMap<Definition, string>()

/** Notes the name of the function that a definition is of, which its file has given it. */
export function noteFunctionName(definition: Definition, name: string): void {
  names.set(definition, name)
}

/** The name of the function that a definition is of, as far as that is known here. */
export function functionNameOf(definition: Definition): string | undefined {
  return names.get(definition) ?? definition.name
}

/** What a function is called in messages that has no name. */
export const unnamedFunction = 'unnamed'
