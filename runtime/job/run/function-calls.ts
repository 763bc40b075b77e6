import { createChecker } from '../../define/check.ts'
import { type Definition, toError } from '../../define/definition.ts'
import { isFileValue } from '../../define/file-value.ts'
import { isTensor } from '../../engine/tensor.ts'
import { createCall } from '../../runner/call.ts'
import { fillDefaults, hasDefault } from '../../runner/default-value.ts'
import { createOutputCheck, isAsyncIterable } from '../../runner/encoder.ts'
import type { RequestHead } from '../../runner/head.ts'
import type { LoadedFunction } from '../../runner/loaded-function.ts'
import { assertFits } from '../../runner/refusal.ts'

/** A function that is called in this process. */
export interface CalledFunction {
  readonly definition: Definition
  /** In whose name it is called. */
  readonly head: RequestHead
  /** Loads it; the same one each time. */
  readonly load: () => Promise<LoadedFunction>
}

/**
 * Calls a function once for some inputs; gives an outcome for each, in their order: an `Error` where the schemas refuse
 * the input or the answer (`INPUT_INVALID`, `OUTPUT_INVALID`), or where the function gave one. Rejects where the whole
 * call fails.
 */
export type FunctionCalls = (inputs: readonly unknown[], signal: AbortSignal) => Promise<readonly unknown[]>

const noBody = new Uint8Array()

/**
 * Makes what calls a function without a request: values in, values out, held to its schemas, with their defaults
 * filled in. A function with a model answers one call at a time, as in a runner.
 */
export function createFunctionCalls({ definition, head, load }: CalledFunction): FunctionCalls {
  const prepare = createInputCheck(definition)
  const check = createAnswerCheck(definition)
  let turn: Promise<unknown> = Promise.resolve()

  const call: FunctionCalls = async (inputs, signal) => {
    signal.throwIfAborted()
    const { facts } = await load()
    const prepared = inputs.map((input) => attempt(prepare, input))
    const calls = prepared
      .filter((input) => !(input instanceof Error))
      .map((input) => createCall({ head, body: noBody, signal }, { input, params: {}, query: {} }, facts))
    const answers = calls.length === 0 ? [] : await definition.answer(calls, { signal })
    const outcomes = answers.values()
    return prepared.map((input) => (input instanceof Error ? input : attempt(check, outcomes.next().value)))
  }
  if (!definition.model) return call
  return (inputs, signal) => {
    const answered = turn.then(() => call(inputs, signal))
    turn = answered.catch(() => undefined)
    return answered
  }
}

/** What comes of a value, or the error that it is or meets. */
function attempt(make: (value: unknown) => unknown, value: unknown): unknown {
  if (value instanceof Error) return value
  try {
    return make(value)
  } catch (error) {
    return toError(error)
  }
}

function createInputCheck({ input: schema }: Definition): (value: unknown) => unknown {
  if (!schema) return (value) => value
  const checker = createChecker(schema)
  const hasDefaults = hasDefault(schema)
  return (value) => {
    const filled = hasDefaults ? fillDefaults(schema, copyOf(value)) : value
    assertFits(checker, filled)
    return filled
  }
}

function createAnswerCheck({ output: schema }: Definition): (value: unknown) => unknown {
  if (!schema) return (value) => value
  const assertOutput = createOutputCheck(schema)
  return (value) => {
    if (value instanceof Response) return value
    if (isAsyncIterable(value)) return checkedItems(value, assertOutput)
    assertOutput(value)
    return value
  }
}

async function* checkedItems(
  items: AsyncIterable<unknown>,
  assertOutput: (item: unknown) => void,
): AsyncGenerator<unknown> {
  for await (const item of items) {
    assertOutput(item)
    yield item
  }
}

/** The objects and arrays of a value anew, so that what is filled in is not filled into the caller's own. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf)
  if (!isPlain(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copyOf(part)]))
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || isTensor(value) || isFileValue(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
