import type { Static, TSchema } from '@sinclair/typebox'
import { type Checker, createChecker } from '../define/check.ts'
import { IsoplexError } from '../error/error.ts'
import { assertFits, invalidInput } from '../runner/refusal.ts'
import { type BodyBudget, readBody } from './body.ts'

/** The largest JSON body of the server's own routes, in bytes. */
export const maxJsonBytes = 64 * 1024

const utf8 = new TextDecoder('utf-8', { fatal: true })
const checkers = new WeakMap<TSchema, Checker>()

/** What bounds the reading of bodies. */
export interface BodyReading {
  readonly budget: BodyBudget
  /** How long a whole body may take to arrive, in milliseconds. */
  readonly timeoutMs: number
}

/**
 * Reads a small JSON body that fits a schema.
 *
 * @throws {IsoplexError} `MEDIA_TYPE_UNSUPPORTED`, `BODY_TOO_LARGE` beyond {@link maxJsonBytes}, `INPUT_INVALID` with
 * the places that do not fit, or what else keeps a body from being read.
 */
export async function readJson<Schema extends TSchema>(
  request: Request,
  schema: Schema,
  { budget, timeoutMs }: BodyReading,
): Promise<Static<Schema>> {
  assertJson(request.headers)
  const body = await readBody(request, { maxBytes: maxJsonBytes, timeoutMs }, budget)
  try {
    const value = parse(body.bytes)
    assertFits(checkerOf(schema), value)
    return value as Static<Schema>
  } finally {
    body.release()
  }
}

function checkerOf(schema: TSchema): Checker {
  const known = checkers.get(schema) ?? createChecker(schema)
  checkers.set(schema, known)
  return known
}

function assertJson(headers: Headers): void {
  const mediaType = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? 'none'
  if (mediaType === 'application/json') return
  const message = `This path takes application/json; got ${mediaType.slice(0, 128)}.`
  throw new IsoplexError('MEDIA_TYPE_UNSUPPORTED', message, { details: { accepted: ['application/json'] } })
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    throw invalidInput('', 'The body is no JSON')
  }
}
