import { IsoplexError } from '../error/error.ts'
import type { FunctionHandlesOptions } from './function-handles.ts'

/**
 * Makes what says where a runner's function has others answer: beside it where they need no model, else in other
 * runners.
 */
export function createCallPlacement(): FunctionHandlesOptions['place'] {
  return ({ definition, name }, { deployment }) => {
    if (!definition.model && deployment === undefined) return null
    throw unknownFunction(name ?? definition.name ?? 'a function')
  }
}

function unknownFunction(name: string): IsoplexError<'FUNCTION_NOT_FOUND'> {
  return new IsoplexError(
    'FUNCTION_NOT_FOUND',
    `No function file defines "${name}", so there is no saying who answers it; make it the default export of a file in the functions folder, and import it from there.`,
    { details: { function: name } },
  )
}
