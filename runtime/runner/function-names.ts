import { type Definition, isDefinition } from '../define/definition.ts'

/** What a bundle exports. */
export interface FunctionModule {
  readonly default?: unknown
  /** What the other function files define that it holds, each after the name of its file. */
  readonly functions?: readonly (readonly [name: string, definition: unknown])[]
}

/** The names of the functions that a bundle holds beside its own. */
export function functionNamesIn({ functions = [] }: FunctionModule): Map<Definition, string> {
  return new Map(
    functions.flatMap(([name, definition]) =>
      isDefinition(definition) ? [[definition, definition.name ?? name]] : [],
    ),
  )
}
