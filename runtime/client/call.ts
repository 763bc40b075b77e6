import type { ErrorCode } from '../error/codes.ts'
import { isIsoplexError } from '../error/error.ts'
import { orAborted } from '../runner/abort-race.ts'
import { encodeInput } from '../runner/input-body.ts'
import type { Answered, Ran, Where } from './answered.ts'
import { type Deadline, startDeadline } from './deadline.ts'
import type { AnyCall, ClientFacts, Errand } from './errand.ts'
import { freshId } from './fresh-id.ts'
import { assertHeaderText } from './header-text.ts'
import type { LocalEngine } from './local-engine.ts'
import { answerInPage } from './page-call.ts'
import { answerOnServer, findRoute, type PlaceAnswer } from './server-call.ts'

/** Codes for which a server has no other answer than the page: what was sent is at fault, or who sent it. */
const finalCodes: ReadonlySet<ErrorCode> = new Set([
  'REQUEST_MALFORMED',
  'TOKEN_MISSING',
  'TOKEN_INVALID',
  'BODY_TOO_LARGE',
  'MEDIA_TYPE_UNSUPPORTED',
  'INPUT_INVALID',
  'TENSOR_MISMATCH',
  'CANCELLED',
])

/** Codes after which the function may have run already. */
const begunCodes: ReadonlySet<ErrorCode> = new Set([
  'INTERNAL',
  'OUTPUT_INVALID',
  'INFERENCE_FAILED',
  'DEVICE_LOST',
  'REPLICA_CRASHED',
  'DEADLINE_EXCEEDED',
])

/**
 * Makes a call: in the page where that is wished and possible, else on the server.
 *
 * @throws {IsoplexError} `CANCELLED` and `DEADLINE_EXCEEDED` as the caller has it, `ROUTE_NOT_FOUND`, `FETCH_FAILED`, and
 * whatever the function fails with.
 * @throws {TypeError} where an option is outside its bounds.
 */
export async function makeCall(client: ClientFacts, name: string, call: AnyCall): Promise<Answered> {
  const { where = 'auto' } = call
  assertWhere(where, client)
  for (const option of ['stickyKey', 'idempotencyKey'] as const) {
    const text = call[option]
    if (text !== undefined) assertHeaderText(option, text)
  }
  const startedMs = performance.now()
  const deadline = startDeadline(call.signal, call.timeoutMs ?? client.timeoutMs)
  const { signal } = deadline
  const requestId = freshId()
  try {
    const body = await orAborted(encodeInput(call.input), signal)
    const { maxReplyBytes: maxBytes } = client
    const errand = { client, name, call, body, deadline, requestId, signal, maxBytes }
    const { answer, fellBack } = await chooseAnswer(errand, where)
    const tookMs = performance.now() - startedMs
    const output = answer.streams ? followed(answer.value, deadline) : answer.value
    if (!answer.streams) deadline.end()
    return { output, ran: { ...answer.ran, tookMs, fellBack } }
  } catch (error) {
    deadline.end()
    throw error
  }
}

/** An answer, and why it did not come from the page where it was to. */
interface ChosenAnswer {
  readonly answer: PlaceAnswer
  readonly fellBack: Ran['fellBack']
}

async function chooseAnswer(errand: Errand, where: Where): Promise<ChosenAnswer> {
  const { local } = errand.client
  if (where === 'server' || !local) return onServer(errand)
  if (where === 'browser') {
    await isOffered(errand, local)
    return { answer: await answerInPage(errand, local), fellBack: null }
  }
  try {
    if (await isOffered(errand, local)) {
      return { answer: await answerInPage(errand, local), fellBack: null }
    }
  } catch (error) {
    if (!isIsoplexError(error) || errand.signal.aborted || finalCodes.has(error.code)) throw error
    const facts = await findRoute(errand)
    if (!facts.idempotent && begunCodes.has(error.code)) throw error
    const fellBack = { code: error.code, message: error.message }
    return { answer: await answerOnServer(errand, facts), fellBack }
  }
  return onServer(errand, `"${errand.name}" was not built for pages.`)
}

/** Whether the page has the function. Its route is asked for meanwhile, which either place needs next. */
function isOffered({ client, name, signal }: Errand, local: LocalEngine): Promise<boolean> {
  client.routes.find(name).catch(() => undefined)
  return orAborted(local.offers(name, client.baseUrl), signal)
}

async function onServer(errand: Errand, reason: string | null = null): Promise<ChosenAnswer> {
  const answer = await answerOnServer(errand, await findRoute(errand))
  return { answer: { ...answer, ran: { ...answer.ran, reason } }, fellBack: null }
}

/** A stream whose call ends with it. Once it has begun, it may take as long as it likes. */
function followed(stream: unknown, deadline: Deadline): AsyncIterable<unknown> {
  deadline.lift()
  return (async function* () {
    try {
      yield* stream as AsyncIterable<unknown>
    } finally {
      deadline.end()
    }
  })()
}

function assertWhere(where: Where, { local }: ClientFacts): void {
  if (!['auto', 'browser', 'server'].includes(where)) {
    throw new TypeError(`"where" must be auto, browser or server; got ${String(where)}.`)
  }
  if (where === 'browser' && !local) {
    throw new TypeError('"where" is "browser", but the client was made without "local".')
  }
}
