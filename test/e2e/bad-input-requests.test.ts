import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type BesiegedServer, besiege } from '../support/besieged-server.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { exchange, TcpClient } from '../support/tcp-client.ts'

const addFunction = `
import { Type } from '@sinclair/typebox'
import { defineInference, onnx, tensor } from 'isoplex'

export default defineInference({
  access: 'public',
  input: Type.Object({ x: Type.Number() }),
  model: onnx({ default: 'five' }),
  infer: () => 6,
})
`

const rest = `
import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'

export default defineFunction({
  access: 'public',
  method: ['GET', 'DELETE'],
  params: Type.Object({ rest: Type.String() }),
  handler: ({ params }) => params,
})
`

let besieged: BesiegedServer
let url: string

beforeAll(async () => {
  besieged = await besiege({
    'functions/add.ts': addFunction,
    'functions/files/[...rest].ts': rest,
    'functions/_models/five/model.onnx': addConstantModel(5),
  })
  ;({ url } = besieged.server)
})
afterEach(() => besieged.expectUnharmed())
afterAll(() => besieged[Symbol.asyncDispose]())

const json = '{"x":21}'
const head = (...fields: readonly string[]): string =>
  `POST /witness HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`

describe('a path', () => {
  it.each([
    '/nowhere',
    '/witness/more',
    '/Witness',
    '/witness//',
    '//witness',
    '/-/nowhere',
    '/-',
    '/metrics/more',
    '/add.ts',
    '/_models/five/model.onnx',
    '/..%2f..%2fetc%2fpasswd',
    '/%00',
  ])('that nothing answers gets 404: %s', async (path) => {
    const reply = await exchange(url, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    expect(reply).toMatchObject({ status: 404, json: { code: 'ROUTE_NOT_FOUND', status: 404 } })
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
  })

  it('is shown in a 404 with no more than 256 of its characters', async () => {
    const reply = await besieged.server.call(`/${'a'.repeat(20_000)}`)
    expect(reply.status).toBe(404)
    expect(reply.text.length).toBeLessThan(600)
  })

  it('with a parameter that is no UTF-8 gets 400', async () => {
    const reply = await besieged.server.call('/files/%E0%A4%A')
    expect(reply).toMatchObject({ status: 400, json: { code: 'REQUEST_MALFORMED' } })
  })

  it('gives what it holds to a parameter, and not to the file system', async () => {
    const reply = await exchange(url, 'GET /files/..%2f..%2fetc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n')
    expect(reply).toMatchObject({ status: 200, json: { rest: '../../etc/passwd' } })
  })
})

describe('a method', () => {
  it.each([
    ['GET', '/witness', 'POST, OPTIONS'],
    ['HEAD', '/witness', 'POST, OPTIONS'],
    ['PUT', '/add', 'POST, OPTIONS'],
    ['PROPFIND', '/add', 'POST, OPTIONS'],
    ['POST', '/files/a', 'GET, DELETE, HEAD, OPTIONS'],
    ['GET', '/', 'POST, OPTIONS'],
    ['POST', '/healthz', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/-/routes', 'GET, HEAD, OPTIONS'],
  ])('that a path does not take gets 405 with those that it takes: %s %s', async (method, path, allow) => {
    const reply = await besieged.server.call(path, { method })
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
    if (method !== 'HEAD')
      expect(reply.json).toMatchObject({ code: 'METHOD_NOT_ALLOWED', allow: allow.split(', ') })
    expect(reply.status).toBe(405)
    expect(reply.headers.get('allow')).toBe(allow)
  })

  it('OPTIONS is told which methods there are', async () => {
    const reply = await besieged.server.call('/files/a', { method: 'OPTIONS' })
    expect(reply).toMatchObject({ status: 204, text: '' })
    expect(reply.headers.get('allow')).toBe('GET, DELETE, HEAD, OPTIONS')
  })
})

describe('a body', () => {
  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'image/png',
    'application/json5',
    'json',
    '*/*',
    ', application/json',
  ])('of another media type gets 415: %s', async (type) => {
    const reply = await besieged.server.call('/witness', {
      method: 'POST',
      body: json,
      headers: { 'content-type': type },
    })
    expect(reply).toMatchObject({
      status: 415,
      json: { code: 'MEDIA_TYPE_UNSUPPORTED', status: 415, accepted: ['application/json'] },
    })
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
  })

  it.each(['application/json', 'Application/JSON; charset=UTF-8', 'application/vnd.example+json', null])(
    'of JSON by another name is taken: %s',
    async (type) => {
      const headers = type === null ? {} : { 'content-type': type }
      const reply = await besieged.server.call('/witness', {
        method: 'POST',
        body: new TextEncoder().encode(json),
        headers,
      })
      expect(reply).toMatchObject({ status: 200, json: { twice: 42 } })
    },
  )

  it.each([
    ['gzip', Bun.gzipSync(json)],
    ['deflate', Bun.deflateSync(json)],
    ['br', Buffer.from(json)],
    ['gzip, gzip', Bun.gzipSync(Bun.gzipSync(json))],
    ['x'.repeat(60), Buffer.from(json)],
  ])('that is encoded as %s gets 415', async (encoding, body) => {
    const reply = await besieged.server.call('/witness', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'content-encoding': encoding },
    })
    expect(reply).toMatchObject({ status: 415, json: { code: 'MEDIA_TYPE_UNSUPPORTED' } })
    expect(reply.json.detail).toContain(encoding)
  })

  it('that is encoded as identity is taken', async () => {
    const reply = await besieged.server.call('/witness', {
      json: { x: 21 },
      headers: { 'content-encoding': 'Identity' },
    })
    expect(reply).toMatchObject({ status: 200, json: { twice: 42 } })
  })
})

describe('headers', () => {
  it('of 64 KB are taken', async () => {
    const reply = await besieged.server.call('/witness', {
      json: { x: 21 },
      headers: { 'x-long': 'a'.repeat(65_536) },
    })
    expect(reply).toMatchObject({ status: 200, json: { twice: 42 } })
  })

  it('beyond the limit get 431', async () => {
    const { status, headers } = await exchange(url, head(`x-long: ${'a'.repeat(140_000)}`))
    expect(status).toBe(431)
    expect(headers.get('connection')).toBe('close')
  })

  it.each(['a b', 'localhost/witness', 'localhost:99999', '[::1', 'localhost, elsewhere', ''])(
    'that name no host, or several, get 400: %j',
    async (host) => {
      const reply = await exchange(url, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      expect(reply).toMatchObject({ status: 400, json: { code: 'REQUEST_MALFORMED' } })
    },
  )

  it('that name two hosts get 400', async () => {
    const reply = await exchange(url, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: elsewhere\r\n\r\n')
    expect(reply).toMatchObject({ status: 400, json: { code: 'REQUEST_MALFORMED' } })
  })

  it.each(['a', 'x.y', '[::1]:80', '1'])(
    'that name the short host %s are taken, with a body',
    async (host) => {
      const request = `POST /witness HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 8\r\n\r\n${json}`
      expect(await exchange(url, request)).toMatchObject({ status: 200, json: { twice: 42 } })
    },
  )

  it('without a host are taken from HTTP/1.0', async () => {
    for (const path of ['/files/a/long/way/down', '//elsewhere/files/a']) {
      const reply = await exchange(url, `GET ${path} HTTP/1.0\r\n\r\n`)
      expect(reply.status).toBe(path.startsWith('//') ? 404 : 200)
    }
  })

  it('with a request id that could harm a log get one that cannot', async () => {
    const reply = await besieged.server.call('/witness', {
      json: { x: 21 },
      headers: { 'x-request-id': 'a" b' },
    })
    expect(reply.headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}-[0-9a-z]+$/)
  })
})

describe('a request that two servers may read differently gets 400', () => {
  const chunked = `8\r\n${json}\r\n0\r\n\r\n`
  const hidden = 'GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n'

  it.each([
    ['a length and chunks', head('Content-Length: 8', 'Transfer-Encoding: chunked') + chunked],
    ['chunks and a length', head('Transfer-Encoding: chunked', 'Content-Length: 8') + chunked],
    ['two lengths', head('Content-Length: 8', 'Content-Length: 9') + json],
    ['a list of lengths', head('Content-Length: 8, 8') + json],
    ['a negative length', head('Content-Length: -8') + json],
    ['a length with a sign', head('Content-Length: +8') + json],
    ['a hexadecimal length', head('Content-Length: 0x8') + json],
    ['a length beyond all numbers', head(`Content-Length: ${'9'.repeat(30)}`) + json],
    ['a length of nothing', head('Content-Length: ') + json],
    ['a coding in front of the chunks', head('Transfer-Encoding: gzip, chunked') + chunked],
    ['an unknown coding', head('Transfer-Encoding: xchunked') + chunked],
    ['two codings', head('Transfer-Encoding: chunked', 'Transfer-Encoding: identity') + chunked],
    ['a space before the colon', head('Transfer-Encoding : chunked') + chunked],
    ['a folded header', head('a: b', ' Transfer-Encoding: chunked') + chunked],
    ['a chunk without a size', `${head('Transfer-Encoding: chunked')}zz\r\n${json}\r\n0\r\n\r\n`],
    ['a chunk of negative size', `${head('Transfer-Encoding: chunked')}-8\r\n${json}\r\n0\r\n\r\n`],
    ['a chunk beyond all sizes', `${head('Transfer-Encoding: chunked')}ffffffffffffffffff\r\n${json}`],
    ['a chunk that is longer than it says', `${head('Transfer-Encoding: chunked')}7\r\n${json}\r\n0\r\n\r\n`],
    ['no request at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ])('%s', async (_, request) => {
    using client = await TcpClient.connect(url)
    await client.send(Buffer.from(request + hidden, 'latin1'))
    const text = await client.closed()
    expect(text).toMatch(/^HTTP\/1\.1 400 .*\r\nConnection: close\r\n/)
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1)
  })
})
