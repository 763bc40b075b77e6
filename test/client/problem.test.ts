import { describe, expect, it } from 'vitest'
import { failureOf } from '../../runtime/client/problem.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { problemReply } from '../../runtime/server/reply.ts'
import { readingOf } from './reading.ts'

/** A reply that says it is a problem document. */
function problem(body: BodyInit, status = 422, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers: { 'content-type': 'application/problem+json', ...headers } })
}

describe('a failure', () => {
  it('is the error that the server has sent', async () => {
    const sent = new IsoplexError('QUEUE_FULL', 'Later.', { details: { retryAfterMs: 1_500 } })
    const { error, retryAfterMs } = await failureOf(problemReply(sent, 'r-1', false), readingOf())
    expect(error).toMatchObject({ code: 'QUEUE_FULL', message: 'Later.', requestId: 'r-1' })
    expect(error.details).toEqual({ retryAfterMs: 1_500 })
    expect(retryAfterMs).toBe(1_500)
  })

  it('has no details where the code has none', async () => {
    const sent = new IsoplexError('TOKEN_MISSING', 'Send one.')
    const { error } = await failureOf(problemReply(sent, 'r-1', false), readingOf())
    expect(error.details).toBeUndefined()
  })

  it.each([
    ['no problem document', new Response('<h1>Bad gateway</h1>', { status: 502 })],
    ['a document of another table', problem('{"code":"OTHER","detail":"a"}', 502)],
    ['a document that is no JSON', problem('{"code":', 502)],
    ['a document that is a list', problem('[1]', 502)],
    ['a document that is null', problem('null', 502)],
  ])('with %s is its status', async (_, response) => {
    const { error } = await failureOf(response, readingOf())
    expect(error).toMatchObject({
      code: 'FETCH_FAILED',
      details: { reason: 'status', status: 502 },
      requestId: 'r-1',
    })
  })

  it('that sends elsewhere says what to do', async () => {
    const { error } = await failureOf(new Response(null, { status: 307 }), readingOf())
    expect(error.message).toContain('"baseUrl"')
  })

  it.each([
    ['7', 7_000],
    ['0', 0],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', null],
    ['-5', null],
  ])('asks for a pause in its header: %s', async (header, pauseMs) => {
    const response = new Response('', { status: 503, headers: { 'retry-after': header } })
    const { retryAfterMs } = await failureOf(response, readingOf())
    expect(retryAfterMs).toBe(pauseMs)
  })

  it('asks for none that is no number', async () => {
    const response = problem('{"code":"DRAINING","detail":"a","retryAfterMs":"1e99"}', 503, {
      'retry-after': '1',
    })
    expect((await failureOf(response, readingOf())).retryAfterMs).toBe(1_000)
  })

  it('does not read an endless document to its end', async () => {
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(100_000)) })
    await expect(failureOf(problem(endless), readingOf())).rejects.toMatchObject({
      code: 'FETCH_FAILED',
      details: { reason: 'content' },
    })
  })
})
