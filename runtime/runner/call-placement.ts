import { unnamedFunction } from '../define/function-name.ts'
import type { HandleOptions } from '../define/handle.ts'
import { IsoplexError } from '../error/error.ts'
import type { CallTransport } from './call-transport.ts'
import type { CalledFunction, FunctionHandlesOptions, LocalModel, Opening } from './function-handles.ts'
import type { Callee } from './handle.ts'
import { createRemoteCallee } from './remote-function.ts'

/** Where a runner's function may have others answer. */
export interface CallPlacementOptions {
  /** Takes calls to other runners. */
  readonly transport: CallTransport
  /** Whether a function has replicas of its own, which then answer it. @default none has */
  readonly isApart?: (name: string) => boolean
}

/**
 * Makes what says where the functions answer that a runner's own one calls. Beside it, by reference: those that need no
 * model, and those that would load its very model in the very same way. In other runners: those that need another model,
 * are asked for by a deployment, or have replicas of their own.
 */
export function createCallPlacement({
  transport,
  isApart = () => false,
}: CallPlacementOptions): FunctionHandlesOptions['place'] {
  const remote = new Map<string, Callee>()
  return (fn, options, opening) => {
    const { definition } = fn
    const wanders = options.deployment !== undefined || (fn.name !== null && isApart(fn.name))
    const held = wanders ? null : heldModel(fn, options, opening)
    if (held || (!wanders && !definition.model)) return held
    const name = fn.name
    if (name === null) throw unknownFunction(definition.name)
    const key = JSON.stringify([name, options.model, options.deployment])
    const known = remote.get(key)
    if (known) return known
    const callee = createRemoteCallee({ name, definition, options, transport })
    if (remote.size >= mostRemembered) remote.clear()
    remote.set(key, callee)
    return callee
  }
}

/** The most functions, by models and deployments, that are kept ready to be called. */
const mostRemembered = 256

/** The caller's own model, where the function would load the same one in the same way. */
function heldModel(
  { definition }: CalledFunction,
  { model: wished }: HandleOptions,
  { source, caller }: Opening,
): LocalModel | null {
  if (!caller?.loader || caller.loader !== definition.model) return null
  // Whose caller has named the model holds another one than the token says.
  if (wished !== undefined || source.head.modelNamed) return null
  const { model, modelInfo } = caller
  return { key: modelInfo, prepare: async () => modelInfo, held: { model } }
}

function unknownFunction(name = unnamedFunction): IsoplexError<'FUNCTION_NOT_FOUND'> {
  return new IsoplexError(
    'FUNCTION_NOT_FOUND',
    `No file of the functions folder defines the function "${name}", so that no replica can answer it; make it the default export of a file there, and import it from that file.`,
    { details: { function: name } },
  )
}
