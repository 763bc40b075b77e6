import { type Definition, isDefinition } from '../define/definition.ts'
import { noteFunctionName } from '../define/function-name.ts'
import { IsoplexError } from '../error/error.ts'
import { type FunctionModule, functionNamesIn } from '../runner/function-names.ts'

/** A function's bundle. */
export interface BundledFunction {
  readonly definition: Definition
  /** The names of the functions that it imports from other function files. */
  readonly names: ReadonlyMap<Definition, string>
}

/** Imports a function's bundle. @throws {IsoplexError} `FUNCTION_BROKEN` where its default export is none of ours. */
export async function importFunction(bundlePath: string, name: string): Promise<BundledFunction> {
  const module: FunctionModule = await import(bundlePath)
  const { default: definition } = module
  if (isDefinition(definition)) {
    const names = functionNamesIn(module).set(definition, name)
    for (const [known, its] of names) noteFunctionName(known, its)
    return { definition, names }
  }
  throw new IsoplexError(
    'FUNCTION_BROKEN',
    `The bundle of "${name}" has no default export made by a define… function.`,
  )
}
