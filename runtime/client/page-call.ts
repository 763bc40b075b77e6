import { isIsoplexError } from '../error/error.ts'
import { orAborted } from '../runner/abort-race.ts'
import { acceptedReplies, readReply } from '../runner/reply-value.ts'
import { textOf } from '../runner/url-text.ts'
import { type Errand, targetOf } from './errand.ts'
import type { LocalEngine, LocalReply } from './local-engine.ts'
import { failureOf } from './problem.ts'
import { guessRoute } from './route-book.ts'
import type { PlaceAnswer } from './server-call.ts'

/** Statuses whose replies have no body (RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5). */
const bodilessStatuses: readonly number[] = [204, 205, 304]

/** Answers a call in the page, with the very request that a server would get. */
export async function answerInPage(errand: Errand, local: LocalEngine): Promise<PlaceAnswer> {
  const { client, name, call, body, requestId, signal } = errand
  const { method, url } = targetOf(errand, await routeOf(errand))
  const answer = (token: string | null): Promise<LocalReply> => {
    return local.answer({
      baseUrl: client.baseUrl,
      token,
      stickyKey: call.stickyKey ?? null,
      name,
      requestId,
      method,
      url,
      params: textsOf(call.params ?? {}),
      contentType: body?.contentType ?? null,
      accept: acceptedReplies,
      body: body?.bytes ?? new Uint8Array(),
      signal,
      onProgress: call.onProgress ?? (() => undefined),
    })
  }
  const { head, body: replyBody, run } = await orAborted(client.tokens.use(answer), signal)
  const response = new Response(bodilessStatuses.includes(head.status) ? null : replyBody, {
    status: head.status,
    headers: head.headers.map(([header, value]) => [header, value]),
  })
  if (!response.ok) throw (await failureOf(response, errand)).error
  return { ...(await readReply(response, errand)), ran: { where: 'browser', requestId, ...run } }
}

/** The route as the server lists it, else as its name has it: a page that is offline can answer all the same. */
async function routeOf({ client, name, signal }: Errand): Promise<ReturnType<typeof guessRoute>> {
  try {
    return await orAborted(client.routes.find(name), signal)
  } catch (error) {
    if (isIsoplexError(error) && error.code === 'FETCH_FAILED' && !signal.aborted) return guessRoute(name)
    throw error
  }
}

function textsOf(params: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, textOf(value)]))
}
