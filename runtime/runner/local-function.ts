import type { TObject, TSchema } from '@sinclair/typebox'
import { createChecker } from '../define/check.ts'
import { type Definition, toError } from '../define/definition.ts'
import { isFileValue } from '../define/file-value.ts'
import type { HandleRequest } from '../define/handle.ts'
import { isTensor } from '../engine/tensor.ts'
import { createCall } from './call.ts'
import { placeBeside } from './calling-request.ts'
import type { Decoded } from './decoder.ts'
import { fillDefaults, hasDefault } from './default-value.ts'
import { createOutputCheck, isAsyncIterable } from './encoder.ts'
import type { Callee, CallerFacts } from './handle.ts'
import type { RequestHead } from './head.ts'
import type { LoadedFunction } from './loaded-function.ts'
import { assertFits, type RefusedPlace } from './refusal.ts'
import { splitByRows } from './row-split.ts'
import { Turns } from './turns.ts'
import { queryOf, type TextValues } from './url-text.ts'
import type { Waits } from './waits.ts'

/** A function that is called beside its caller. */
export interface LocalFunction {
  /** What errors, logs and the chain of callers call it. */
  readonly name: string
  readonly definition: Definition
  /** Loads it; the same one each time. */
  readonly load: () => Promise<LoadedFunction>
}

const noBody = new Uint8Array()

/**
 * Makes what calls a function without a request: values in, values out, by reference, held to its schemas, with their
 * defaults filled in. A function with a model answers one call at a time, as in a runner; while that one waits for calls
 * of its own, the next may begin.
 */
export function createLocalCallee(local: LocalFunction): Callee {
  const definition = splitByRows(local.definition)
  const prepare = createRequestCheck(definition, local.name)
  const check = createAnswerCheck(definition)
  const turns = definition.model ? new Turns() : null

  const answer = async (
    requests: readonly HandleRequest[],
    { source, signal }: CallerFacts,
    waits: Waits | null,
  ): Promise<readonly unknown[]> => {
    signal.throwIfAborted()
    const place = placeBeside(source.place, local.name, waits)
    const { facts } = await local.load()
    const prepared = requests.map((request) => attempt(prepare, request))
    const calls = prepared.flatMap((decoded, index) => {
      if (decoded instanceof Error) return []
      const head = headOf(local, source.head, requests[index])
      return [createCall({ head, body: noBody, signal, place }, decoded as Decoded, facts)]
    })
    const answers = calls.length === 0 ? [] : await definition.answer(calls, { signal })
    const outcomes = answers.values()
    return prepared.map((decoded) =>
      decoded instanceof Error ? decoded : attempt(check, outcomes.next().value),
    )
  }
  return {
    batchSize: definition.batch?.maxSize ?? 1,
    async answer(requests, facts) {
      const end = facts.source.place.waits?.begin()
      try {
        return await (turns
          ? turns.take((waits) => answer(requests, facts, waits))
          : answer(requests, facts, null))
      } finally {
        end?.()
      }
    },
  }
}

/** What a function that is called so is told of the request: whose it is, and what would have been asked over HTTP. */
function headOf(
  { name, definition }: LocalFunction,
  head: RequestHead,
  request: HandleRequest = {},
): RequestHead {
  const { query } = request
  return {
    ...head,
    method: definition.methods[0] ?? head.method,
    url: `/${name}${queryOf((query ?? {}) as TextValues)}`,
    params: {},
    contentType: null,
    accept: null,
    headers: [],
  }
}

/** What comes of a value, or the error that it is or meets. */
function attempt<Value>(make: (value: Value) => unknown, value: Value): unknown {
  if (value instanceof Error) return value
  try {
    return make(value)
  } catch (error) {
    return toError(error)
  }
}

/**
 * Makes what holds a request to the schemas of a function and fills in their defaults. As over HTTP, what has no schema
 * does not arrive. It throws an `INPUT_INVALID` that names the function, since whoever reads it has asked another.
 */
export function createRequestCheck(
  { params, query, input }: Pick<Definition, 'params' | 'query' | 'input'>,
  name: string,
): (request: HandleRequest) => Decoded {
  const checkParams = createValueCheck(params, { prefix: '/params', of: name })
  const checkQuery = createValueCheck(query, { prefix: '/query', of: name })
  const checkInput = createValueCheck(input, { of: name })
  return (request) => ({
    params: checkParams(request.params ?? (params && {})),
    query: checkQuery(request.query ?? (query && {})),
    input: checkInput(request.input),
  })
}

function createValueCheck(
  schema: TSchema | TObject | undefined,
  place: RefusedPlace,
): (value: unknown) => unknown {
  if (!schema) return () => undefined
  const checker = createChecker(schema)
  const hasDefaults = hasDefault(schema)
  return (value) => {
    const filled = hasDefaults ? fillDefaults(schema, copyOf(value)) : value
    assertFits(checker, filled, place)
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
