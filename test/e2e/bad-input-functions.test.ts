import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type BesiegedServer, besiege } from '../support/besieged-server.ts'
import { descendantsOf, type Reply, until } from '../support/server.ts'
import { exchange, TcpClient } from '../support/tcp-client.ts'

/** Does what the query says. */
const outcomes = `
import { Type } from '@sinclair/typebox'
import { defineFunction, IsoplexError } from 'isoplex'

const ring = { ring: null }
ring.ring = ring
const send = (status, headers = {}) => new Response('body', { status, headers })

const outcomes = {
  undefined: () => undefined,
  null: () => null,
  symbol: () => Symbol('secret'),
  function: () => () => 1,
  numbers: () => [Number.NaN, Number.POSITIVE_INFINITY, -0],
  error: () => { throw new Error('secret cause') },
  text: () => { throw 'secret cause' },
  nothing: () => { throw null },
  ours: () => { throw new IsoplexError('MODEL_NOT_FOUND', 'There is no such bird.', { details: { model: 'bird' } }) },
  busy: () => { throw new IsoplexError('QUEUE_FULL', 'Come again.', { details: { retryAfterMs: 2500 } }) },
  alike: () => { throw Object.assign(new Error('secret cause'), { code: 'INPUT_INVALID' }) },
  bigint: () => ({ value: 1n }),
  ring: () => ring,
  json: () => ({ toJSON() { throw new Error('secret cause') } }),
  proxy: () => new Proxy({}, { get() { throw new Error('secret cause') } }),
  200: () => send(200, { 'content-length': '4000', 'transfer-encoding': 'gzip', 'keep-alive': 'timeout=9', upgrade: 'h2c', connection: 'x-kept', 'x-kept': 'a' }),
  204: () => send(204),
  205: () => send(205),
  304: () => send(304, { etag: '"a"' }),
  endless204: () => new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(9999)) }), { status: 204 }),
  101: () => send(101),
  0: () => Response.error(),
  600: () => send(600),
  header: () => send(200, { 'x-broken': 'a\\r\\nx-more: b' }),
  name: () => send(200, { 'x broken': 'a' }),
  used: async () => { const response = send(200); await response.text(); return response },
  items: async function* () { yield 1; yield undefined; yield [Number.NaN]; throw new Error('secret cause') },
  first: async function* () { throw new IsoplexError('DRAINING', 'No more.', { details: { retryAfterMs: 1 } }) },
  item: async function* () { yield 1; yield 1n },
  broken: () => new Response(new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('half'))
      setTimeout(() => controller.error(new Error('secret cause')), 20)
    },
  })),
  waits: () => new Promise(() => undefined),
  loops: () => { for (;;); },
  exits: () => process.exit(0),
  kills: () => { process.kill(process.pid, 'SIGKILL'); return new Promise(() => undefined) },
  rejects: () => { Promise.reject(new Error('secret cause')); return new Promise(() => undefined) },
  fails: () => { setTimeout(() => { throw new Error('secret cause') }); return new Promise(() => undefined) },
}

export default defineFunction({
  access: 'public',
  method: 'GET',
  query: Type.Object({ of: Type.String() }),
  handler: async ({ query }) => {
    const outcome = await outcomes[query.of]()
    return outcome?.next ? { async *[Symbol.asyncIterator]() { yield* outcome } } : outcome
  },
})
`

const unfit = `
import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'

export default defineFunction({
  access: 'public',
  output: Type.Object({ names: Type.Array(Type.String()) }),
  handler: () => ({ names: ['a', 2, 'c', null] }),
})
`

let besieged: BesiegedServer

beforeAll(async () => {
  besieged = await besiege({
    'functions/outcome.ts': outcomes,
    'functions/hurried.ts': outcomes.replace("method: 'GET',", "method: 'GET', timeoutMs: 500,"),
    'functions/unfit.ts': unfit,
  })
})
afterEach(() => besieged.expectUnharmed())
afterAll(() => besieged[Symbol.asyncDispose]())

function outcomeOf(name: string): Promise<Reply> {
  return besieged.server.call(`/outcome?of=${name}`, { headers: { 'x-request-id': `request-${name}` } })
}

/** The line of the log about a request, once there is one. */
async function logOf(name: string): Promise<unknown> {
  const lines = (): readonly string[] =>
    besieged.server
      .log()
      .split('\n')
      .filter((line) => line.includes(`"request-${name}"`))
  await until(() => lines().length > 0)
  expect(lines()).toHaveLength(1)
  return JSON.parse(lines()[0] ?? '')
}

describe('what JSON has no word for', () => {
  it.each(['undefined', 'symbol', 'function'])('becomes an empty reply: %s', async (name) => {
    expect(await outcomeOf(name)).toMatchObject({ status: 204, text: '' })
  })

  it('becomes null where it is no number', async () => {
    expect(await outcomeOf('numbers')).toMatchObject({ status: 200, text: '[null,null,0]' })
    expect(await outcomeOf('null')).toMatchObject({ status: 200, text: 'null' })
  })
})

describe('a function that throws', () => {
  it.each([
    'error',
    'text',
    'nothing',
    'alike',
    'bigint',
    'ring',
    'json',
    'proxy',
    '600',
    'header',
    'name',
    'used',
    '101',
    '0',
  ])('or gives what cannot be sent gets 500, and its text stands in the log alone: %s', async (name) => {
    const reply = await outcomeOf(name)
    expect(reply).toMatchObject({
      status: 500,
      json: { code: 'INTERNAL', status: 500, instance: `urn:isoplex:request:request-${name}` },
    })
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
    expect(reply.text).not.toContain('secret')
    expect(await logOf(name)).toMatchObject({ level: 'error', function: 'outcome', error: expect.anything() })
  })

  it('is told of in the log with the text of its error', async () => {
    for (const name of ['error', 'text', 'alike', 'json', 'proxy']) {
      expect(JSON.stringify(await logOf(name))).toContain('secret cause')
    }
  })

  it('an error of ours gets its own status', async () => {
    expect(await outcomeOf('ours')).toMatchObject({
      status: 404,
      json: { code: 'MODEL_NOT_FOUND', detail: 'There is no such bird.', model: 'bird' },
    })
    const busy = await outcomeOf('busy')
    expect(busy).toMatchObject({ status: 503, json: { code: 'QUEUE_FULL', detail: 'Come again.' } })
    expect(busy.headers.get('retry-after')).toBe('3')
  })
})

describe('a result that the output schema refuses', () => {
  it('gets 500 with the places', async () => {
    const reply = await besieged.server.call('/unfit')
    expect(reply).toMatchObject({
      status: 500,
      json: {
        code: 'OUTPUT_INVALID',
        issues: [
          { path: '/names/1', message: 'Expected string' },
          { path: '/names/3', message: 'Expected string' },
        ],
      },
    })
  })
})

describe('a Response', () => {
  it.each(['204', '205', '304', 'endless204'])('whose status allows no body has none: %s', async (name) => {
    const reply = await exchange(
      besieged.server.url,
      `GET /outcome?of=${name} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    )
    expect(reply).toMatchObject({ status: Number(name.replace('endless', '')), body: '' })
  })

  it('keeps no header that belongs to the connection, nor a length of its own', async () => {
    const reply = await outcomeOf('200')
    expect(reply).toMatchObject({ status: 200, text: 'body' })
    expect(reply.headers.get('x-kept')).toBe('a')
    expect(reply.headers.get('content-length')).not.toBe('4000')
    for (const name of ['keep-alive', 'upgrade']) expect(reply.headers.has(name)).toBe(false)
    expect(reply.headers.get('connection')).not.toBe('x-kept')
  })

  it('leaves its connection to the next request', async () => {
    using client = await TcpClient.connect(besieged.server.url)
    for (const _ of ['first', 'second']) {
      await client.send('GET /outcome?of=200 HTTP/1.1\r\nHost: localhost\r\n\r\n')
      expect(await client.reply()).toMatchObject({ status: 200, body: 'body' })
    }
  })

  it('that breaks off in the middle breaks off for the client', async () => {
    const response = await fetch(`${besieged.server.url}/outcome?of=broken`, {
      headers: { 'x-request-id': 'request-broken' },
    })
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow()
    expect(await logOf('broken')).toMatchObject({ level: 'error', error: { message: 'secret cause' } })
  })
})

describe('a stream', () => {
  it('that throws in the middle ends with the error, its text hidden', async () => {
    const reply = await outcomeOf('items')
    expect(reply.status).toBe(200)
    const lines = reply.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toEqual([
      1,
      null,
      [null],
      { error: { code: 'INTERNAL', message: expect.not.stringContaining('secret') } },
    ])
    expect(await logOf('items')).toMatchObject({ level: 'error', error: { message: 'secret cause' } })
  })

  it('that throws at once, or gives what cannot be sent, ends with the error', async () => {
    const first = await outcomeOf('first')
    expect(JSON.parse(first.text)).toMatchObject({ error: { code: 'DRAINING', message: 'No more.' } })
    const item = await outcomeOf('item')
    expect(item.text).toMatch(/^1\n\{"error":\{"code":"INTERNAL",.*\}\n$/)
  })
})

describe('a function that gives no answer', () => {
  it.each(['waits', 'loops'])(
    'gets 504 at its deadline, and the next request is answered: %s',
    async (name) => {
      // Its deadline is short, and a runner takes its time to come up.
      const answersAgain = () =>
        until(async () => (await besieged.server.call('/hurried?of=null')).status === 200)
      await answersAgain()
      const [replica] = await descendantsOf(besieged.server.pid)
      const endings = (): number => besieged.server.log().split('A runner is ended').length
      const before = endings()
      const reply = await besieged.server.call(`/hurried?of=${name}`)
      expect(reply).toMatchObject({ status: 504, json: { code: 'DEADLINE_EXCEEDED', status: 504 } })
      await until(() => endings() > before)
      await answersAgain()
      expect((await descendantsOf(besieged.server.pid))[0]).toBe(replica)
    },
  )

  it.each(['exits', 'kills', 'rejects', 'fails'])(
    'since it dies gets 503 after a second try, and the next one is answered: %s',
    async (name) => {
      expect(await outcomeOf(name)).toMatchObject({
        status: 503,
        json: { code: 'REPLICA_CRASHED', status: 503 },
      })
      await until(async () => (await outcomeOf('null')).status === 200)
    },
  )

  it('is told of in the log where it dies of an error', () => {
    const lines = besieged.server
      .log()
      .split('\n')
      .filter((line) => line.includes('uncaught error'))
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) expect(line).toContain('secret cause')
  })
})
