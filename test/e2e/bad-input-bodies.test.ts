import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type BesiegedServer, besiege } from '../support/besieged-server.ts'
import { until } from '../support/server.ts'
import { exchange, TcpClient, type TcpReply } from '../support/tcp-client.ts'

const maxBodyBytes = 2_000_000
const uploadTimeoutMs = 1_000
/** What of a refused body may be under way in the buffers of both sides. */
const buffersBytes = 16_000_000

/** Takes any text, and says how long it is. */
const lengthFunction = `
import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'

export default defineFunction({
  access: 'public',
  input: Type.Array(Type.String()),
  handler: ({ input }) => input.join('').length,
})
`

/** Waits until its caller leaves, and says so in the log. */
const waitingFunction = `
import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'

export default defineFunction({
  access: 'public',
  method: 'GET',
  maxOngoingRequests: 1,
  query: Type.Object({ who: Type.String() }),
  async handler({ query, signal, log }) {
    log.info('begun ' + query.who)
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    log.info('left ' + query.who)
  },
})
`

/** Streams without end, and says in the log when it was let go. */
const endlessFunction = `
import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'

export default defineFunction({
  access: 'public',
  method: 'GET',
  query: Type.Object({ who: Type.String() }),
  async *handler({ query, signal, log }) {
    signal.addEventListener('abort', () => log.info('signal ' + query.who))
    try {
      for (let count = 0; ; count += 1) {
        yield { count, padding: 'x'.repeat(10_000) }
        await Bun.sleep(1)
      }
    } finally {
      log.info('finally ' + query.who)
    }
  },
})
`

let besieged: BesiegedServer
let url: string

beforeAll(async () => {
  const settings = { maxBodyBytes, maxBodiesInFlightBytes: 3_000_000, uploadTimeoutMs }
  const files = {
    'functions/length.ts': lengthFunction,
    'functions/small.ts': lengthFunction.replace("access: 'public'", "access: 'public', maxBodyBytes: 1000"),
    'functions/closed.ts': lengthFunction.replace("access: 'public',", ''),
    'functions/waiting.ts': waitingFunction,
    'functions/endless.ts': endlessFunction,
  }
  besieged = await besiege(files, settings)
  ;({ url } = besieged.server)
})
afterEach(() => besieged.expectUnharmed())
afterAll(() => besieged[Symbol.asyncDispose]())

const head = (path: string, ...fields: readonly string[]): string =>
  [`POST ${path} HTTP/1.1`, 'Host: localhost', ...fields, '', ''].join('\r\n')

/** Sends pieces, as long as nothing is answered, and gives the answer. */
async function flood(client: TcpClient, start: string, piece: Uint8Array): Promise<TcpReply> {
  await client.send(start)
  while (client.received === '' && !client.ended && client.sentBytes < 200_000_000) {
    await client.send(piece)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return await client.reply()
}

const spaces = Buffer.alloc(65_536, ' ')
const chunk = Buffer.concat([Buffer.from('10000\r\n'), spaces, Buffer.from('\r\n')])

describe('a body over the limit', () => {
  it.each([
    ['413', 'a length', '/length', ['Content-Type: application/json', 'Content-Length: 900000000'], spaces],
    ['413', 'chunks', '/length', ['Content-Type: application/json', 'Transfer-Encoding: chunked'], chunk],
    ['401', 'a length', '/closed', ['Content-Length: 900000000'], spaces],
    ['401', 'chunks', '/closed', ['Transfer-Encoding: chunked'], chunk],
    ['404', 'a length', '/nowhere', ['Content-Length: 900000000'], spaces],
    ['405', 'chunks', '/waiting?who=a', ['Transfer-Encoding: chunked'], chunk],
    ['415', 'a length', '/length', ['Content-Type: text/plain', 'Content-Length: 900000000'], spaces],
    ['415', 'chunks', '/length', ['Content-Type: text/plain', 'Transfer-Encoding: chunked'], chunk],
  ])('gets %s and is not taken in, with %s: %s', async (status, _, path, fields, piece) => {
    using client = await TcpClient.connect(url)
    const reply = await flood(client, head(path, ...fields), piece)
    expect(reply).toMatchObject({ status: Number(status), json: { status: Number(status) } })
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
    expect(reply.headers.get('connection')).toBe('close')
    await client.closed()
    expect(client.sentBytes).toBeLessThan(buffersBytes)
  })

  it("gets told the limit, the function's own where it has one", async () => {
    const long = Buffer.from(JSON.stringify(['x'.repeat(1_000)]))
    const whole = await exchange(url, head('/small', `Content-Length: ${long.length}`), long)
    expect(whole).toMatchObject({ status: 413, json: { code: 'BODY_TOO_LARGE', limitBytes: 1_000 } })
    const inChunks = await exchange(url, head('/small', 'Transfer-Encoding: chunked'), chunk)
    expect(inChunks).toMatchObject({ status: 413, json: { code: 'BODY_TOO_LARGE', limitBytes: 1_000 } })
  })
})

describe('a body of just the limit', () => {
  const body = Buffer.from(JSON.stringify(['x'.repeat(maxBodyBytes - 4)]))

  it('is taken with a length', async () => {
    const reply = await exchange(url, head('/length', `Content-Length: ${body.length}`), body)
    expect(reply).toMatchObject({ status: 200, json: maxBodyBytes - 4 })
  })

  it.each([100, 1_000_000])('is taken in chunks of %i bytes', async (size) => {
    const chunks = Array.from({ length: Math.ceil(body.length / size) }, (_, index) => {
      const part = body.subarray(index * size, (index + 1) * size)
      return `${part.length.toString(16)}\r\n${part}\r\n`
    })
    const reply = await exchange(
      url,
      head('/length', 'Transfer-Encoding: chunked'),
      `${chunks.join('')}0\r\n\r\n`,
    )
    expect(reply).toMatchObject({ status: 200, json: maxBodyBytes - 4 })
  })
})

describe('a refused body within the limit', () => {
  it('is let run in, so that the connection serves on', async () => {
    using client = await TcpClient.connect(url)
    await client.send(head('/closed', 'Content-Length: 1000000'), Buffer.alloc(1_000_000))
    expect(await client.reply()).toMatchObject({ status: 401 })
    await client.send(head('/witness', 'Content-Length: 7'), '{"x":4}')
    expect(await client.reply()).toMatchObject({ status: 200, json: { twice: 8 } })
  })
})

describe('a body that trickles', () => {
  it.each([
    ['a short length', 'Content-Length: 1000', ' '],
    ['a long length', 'Content-Length: 1000000', ' '],
    ['chunks', 'Transfer-Encoding: chunked', '1\r\n \r\n'],
    ['a chunk', 'Transfer-Encoding: chunked\r\n\r\nffff', ' '],
  ])('gets 408 at the deadline of uploads, with %s', async (_, field, piece) => {
    using client = await TcpClient.connect(url)
    const startedMs = performance.now()
    await client.send(head('/length', field))
    while (client.received === '' && !client.ended) {
      await client.send(piece)
      await Bun.sleep(20)
    }
    const reply = await client.reply()
    const tookMs = performance.now() - startedMs
    expect(reply).toMatchObject({ status: 408, json: { code: 'UPLOAD_TIMEOUT' } })
    expect(reply.headers.get('connection')).toBe('close')
    expect(tookMs).toBeGreaterThan(uploadTimeoutMs - 50)
    expect(tookMs).toBeLessThan(uploadTimeoutMs * 5)
    await client.closed()
  })
})

describe('a client that leaves', () => {
  const part = Buffer.alloc(1_900_000, ' ')
  const fields = [`Content-Length: ${maxBodyBytes}`, 'Transfer-Encoding: chunked']

  it('in the middle of its upload gives its room back', async () => {
    for (const field of fields.flatMap((name) => Array<string>(6).fill(name))) {
      using client = await TcpClient.connect(url)
      await client.send(head('/length', field), field.startsWith('T') ? '1cfde0\r\n' : '', part)
    }
    await until(
      async () => (await besieged.server.call('/length', { json: ['x'.repeat(1_900_000)] })).status === 200,
    )
  })

  it('makes room for others, who are told to come again meanwhile', async () => {
    const upload = () => besieged.server.call('/length', { json: ['x'.repeat(1_900_000)] })
    const begin = async (): Promise<TcpClient> => {
      const client = await TcpClient.connect(url)
      await client.send(head('/length', `Content-Length: ${maxBodyBytes}`), part.subarray(700_000))
      return client
    }
    const uploads: TcpClient[] = []
    let reply: Awaited<ReturnType<typeof upload>>
    // Those that have begun go at their deadline: others take their place until somebody finds no room.
    do {
      uploads.push(await begin(), await begin())
      reply = await upload()
    } while (reply.status !== 503)
    expect(reply.json).toMatchObject({ code: 'QUEUE_FULL', status: 503 })
    expect(reply.headers.get('retry-after')).toBe('1')
    for (const client of uploads) client.leave()
    while (reply.status !== 200) reply = await upload()
    expect(reply.json).toBe(1_900_000)
  })

  it('while it waits fires the signal of its request', async () => {
    using client = await TcpClient.connect(url)
    await client.send('GET /waiting?who=first HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await until(() => besieged.server.log().includes('begun first'))
    client.leave()
    await until(() => besieged.server.log().includes('left first'))
  })

  it('while it waits behind another is never run', async () => {
    using first = await TcpClient.connect(url)
    using second = await TcpClient.connect(url)
    using third = await TcpClient.connect(url)
    await first.send('GET /waiting?who=a HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await until(() => besieged.server.log().includes('begun a'))
    await second.send('GET /waiting?who=b HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await besieged.expectUnharmed()
    second.leave()
    await third.send('GET /waiting?who=c HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await besieged.expectUnharmed()
    first.leave()
    await until(() => besieged.server.log().includes('begun c'))
    third.leave()
    await until(() => besieged.server.log().includes('left c'))
    expect(besieged.server.log()).not.toContain('begun b')
  })

  it('in the middle of a stream ends it', async () => {
    using client = await TcpClient.connect(url)
    await client.send('GET /endless?who=reader HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await until(() => client.received.length > 100_000)
    client.leave()
    await until(() => besieged.server.log().includes('signal reader'))
    await until(() => besieged.server.log().includes('finally reader'))
  })

  it('that wants the head of a stream only does not keep the stream going', async () => {
    const reply = await besieged.server.call('/endless?who=head', { method: 'HEAD' })
    expect(reply).toMatchObject({ status: 200, text: '' })
    await until(() => besieged.server.log().includes('finally head'))
  })
})
