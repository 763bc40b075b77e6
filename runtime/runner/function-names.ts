import { type Definition, isDefinition } from '../define/definition.ts'
import { functionNameOf } from '../route/pattern.ts'

/** What a bundle exports. */
export interface FunctionModule {
  readonly default?: unknown
  /** The other function files that it holds, seen from the functions folder, and what each defines. */
  readonly functions?: readonly (readonly [file: string, definition: unknown])[]
}

/** The names of the functions that a bundle holds beside its own. */
export function functionNamesIn({ functions = [] }: FunctionModule): Map<Definition, string> {
  return new Map(
    functions.flatMap(([file, definition]) =>
      isDefinition(definition) ? [[definition, definition.name ?? functionNameOf(file)]] : [],
    ),
  )
}
