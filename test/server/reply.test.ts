import { describe, expect, it } from 'vitest'
import { IsoplexError } from '../../runtime/error/error.ts'
import { problemReply, refusalReply, requestIdOf, routeNotFound } from '../../runtime/server/reply.ts'

const tooLarge = new IsoplexError('BODY_TOO_LARGE', 'Too large.', { details: { limitBytes: 5 } })
const notFound = new IsoplexError('MODEL_NOT_FOUND', 'No such model.', { details: { model: 'a' } })

describe('problemReply', () => {
  it('is a problem document with the request id', async () => {
    const reply = problemReply(notFound, 'id-1', false)
    expect(reply.status).toBe(404)
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
    expect(reply.headers.get('x-request-id')).toBe('id-1')
    expect(reply.headers.has('connection')).toBe(false)
    expect(await reply.json()).toEqual({
      type: 'about:blank',
      title: 'No such model',
      status: 404,
      detail: 'No such model.',
      code: 'MODEL_NOT_FOUND',
      model: 'a',
      instance: 'urn:isoplex:request:id-1',
    })
  })

  it.each([new Error('secret'), 'secret', null, { code: 'MODEL_NOT_FOUND', message: 'secret' }])(
    'hides what is no error of ours: %j',
    async (error) => {
      const reply = problemReply(error, 'id-1', false)
      const text = await reply.text()
      expect(reply.status).toBe(500)
      expect(JSON.parse(text)).toMatchObject({ code: 'INTERNAL' })
      expect(text).not.toContain('secret')
    },
  )

  it.each([
    [new IsoplexError('TOKEN_MISSING', 'No token.'), 'www-authenticate', 'Bearer realm="isoplex"'],
    [
      new IsoplexError('TOKEN_INVALID', 'A "bad" token.', { details: { reason: 'expired' } }),
      'www-authenticate',
      `Bearer realm="isoplex", error="invalid_token", error_description="A 'bad' token."`,
    ],
    [
      new IsoplexError('METHOD_NOT_ALLOWED', 'No.', { details: { allow: ['GET', 'HEAD'] } }),
      'allow',
      'GET, HEAD',
    ],
    [new IsoplexError('QUEUE_FULL', 'Full.', { details: { retryAfterMs: 1_001 } }), 'retry-after', '2'],
    [new IsoplexError('DRAINING', 'Bye.', { details: { retryAfterMs: 400 } }), 'retry-after', '1'],
  ])('has the header that its status asks for: %s', (error, header, value) => {
    expect(problemReply(error, 'id-1', false).headers.get(header)).toBe(value)
  })

  it.each([
    [tooLarge, false],
    [new IsoplexError('UPLOAD_TIMEOUT', 'Late.'), false],
    [new IsoplexError('REQUEST_MALFORMED', 'Broken.'), false],
    [new IsoplexError('DRAINING', 'Bye.', { details: { retryAfterMs: 1 } }), false],
    [notFound, true],
  ])('closes the connection where it cannot go on: %s', (error, closing) => {
    expect(problemReply(error, 'id-1', closing).headers.get('connection')).toBe('close')
  })
})

describe('refusalReply', () => {
  it.each([
    [{}, null],
    [{ 'content-length': '10' }, null],
    [{ 'content-length': '11' }, 'close'],
    [{ 'transfer-encoding': 'chunked' }, 'close'],
  ] as const)('closes the connection before a body over the limit: %j', (headers, connection) => {
    const request = new Request('http://localhost/', { method: 'POST', headers })
    expect(refusalReply(notFound, request, 10).headers.get('connection')).toBe(connection)
  })
})

describe('requestIdOf', () => {
  it.each(['a', '0af7651916cd43dd8448eb211c80319c', 'a.b:c-d_e', 'a'.repeat(128)])(
    'keeps a harmless one: %s',
    (id) => {
      expect(requestIdOf(new Headers({ 'x-request-id': id }))).toBe(id)
    },
  )

  it.each(['', ' ', 'a b', 'a"b', 'a<b', 'ä', 'a'.repeat(129), 'a, b'])('makes one instead of %j', (id) => {
    const made = requestIdOf(new Headers({ 'x-request-id': id }))
    expect(made).toMatch(/^[0-9a-f]{32}-[0-9a-z]+$/)
  })

  it('makes a new one each time', () => {
    expect(requestIdOf(new Headers())).not.toBe(requestIdOf(new Headers()))
  })
})

describe('routeNotFound', () => {
  it('names the path without its query, cut to a readable length', () => {
    expect(routeNotFound(new Request('http://localhost/a/b?token=secret')).message).toBe(
      'Nothing answers at /a/b; GET /-/routes lists what does.',
    )
    expect(routeNotFound(new Request(`http://localhost/${'a'.repeat(9_999)}`)).message.length).toBeLessThan(
      350,
    )
  })
})
