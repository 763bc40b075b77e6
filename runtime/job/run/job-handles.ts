import type { FunctionLog, ModelInfo } from '../../define/context.ts'
import type { HandleOptions, OpenHandle } from '../../define/handle.ts'
import type { Engine } from '../../engine/engine.ts'
import type { InputFetch } from '../../runner/call.ts'
import { CallingRequest } from '../../runner/calling-request.ts'
import { type CalledFunction, FunctionHandles, type LocalModel } from '../../runner/function-handles.ts'
import type { ActionOrder } from '../message.ts'

/** What the functions need that an action calls in its own process. */
export interface JobHandlesOptions {
  readonly prepareModel: (modelId: string) => Promise<ModelInfo>
  readonly engine: Engine
  readonly log: FunctionLog
  readonly fetchInput: InputFetch
  /** The model that the submitter's token names; `null` without one. */
  readonly modelId: string | null
}

/** Makes the handles of an action: all that it calls runs in its own process. */
export function createJobHandles({ prepareModel, modelId, ...shared }: JobHandlesOptions): FunctionHandles {
  const place = (fn: CalledFunction, { model, deployment }: HandleOptions): LocalModel | null => {
    if (deployment !== undefined) {
      throw new TypeError(
        `"deployment" is not for actions, which call functions in their own process; got ${deployment}.`,
      )
    }
    const id = modelOf(fn, model ?? modelId)
    return id === null ? null : { key: id, prepare: () => prepareModel(id) }
  }
  return new FunctionHandles({ ...shared, nameOf: () => null, place })
}

/** The model with which a function answers an action; `null` where it needs none. */
function modelOf(
  { definition: { name, model: loader } }: CalledFunction,
  wished: string | null,
): string | null {
  if (!loader) return null
  const id = wished ?? loader.default
  if (id !== undefined) return id
  const which = name === undefined ? 'the function' : `"${name}"`
  throw new TypeError(`"model" must be given: neither the job's token nor ${which} names one.`)
}

/** What opens handles for an action, in the name of whoever has submitted its job. `signal` is what functions see. */
export function openJobHandles(
  handles: FunctionHandles,
  { head, function: name }: Pick<ActionOrder, 'head' | 'function'>,
  signal: AbortSignal,
): OpenHandle {
  const place = { request: new CallingRequest(0, null), chain: [name], waits: null }
  return handles.opener({ head, body: new Uint8Array(), signal, place }, null)
}
