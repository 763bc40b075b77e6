import { type Definition, isDefinition } from '../define/definition.ts'
import { IsoplexError } from '../error/error.ts'

/** Imports a function's bundle. @throws {IsoplexError} `FUNCTION_BROKEN` where its default export is none of ours. */
export async function importFunction(bundlePath: string, name: string): Promise<Definition> {
  const module: { readonly default?: unknown } = await import(bundlePath)
  if (isDefinition(module.default)) return module.default
  throw new IsoplexError(
    'FUNCTION_BROKEN',
    `The bundle of "${name}" has no default export made by a define… function.`,
  )
}
