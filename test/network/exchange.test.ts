import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Exchange, exchange } from '../../runtime/network/exchange.ts'
import { addressCertificate, namedCertificate, testAuthority } from '../support/hostile-certificates.ts'
import { type HostileServer, startHostileServer } from '../support/hostile-server.ts'
import { type FetchError, fetchErrorOf } from './refusals.ts'

let plain: HostileServer
let named: HostileServer
let addressed: HostileServer
beforeAll(async () => {
  plain = await startHostileServer()
  named = await startHostileServer({ certificate: namedCertificate })
  addressed = await startHostileServer({ certificate: addressCertificate })
  for (const server of [plain, named, addressed]) server.reply('/', { kind: 'reply', body: 'hello' })
})
afterAll(async () => {
  for (const server of [plain, named, addressed]) await server[Symbol.asyncDispose]()
})

function orderOf(url: string, facts: Partial<Exchange> = {}): Exchange {
  return {
    url: new URL(url),
    host: new URL(url).hostname,
    addresses: ['127.0.0.1'],
    method: 'GET',
    headers: new Headers(),
    body: null,
    certificateAuthority: testAuthority,
    signal: new AbortController().signal,
    ...facts,
  }
}

async function statusOf(url: string, facts: Partial<Exchange> = {}): Promise<number | undefined> {
  const reply = await exchange(orderOf(url, facts))
  reply.destroy()
  return reply.statusCode
}

function failure(url: string, facts: Partial<Exchange> = {}): Promise<FetchError> {
  return fetchErrorOf(() => exchange(orderOf(url, facts)))
}

describe('a certificate', () => {
  it('is right where it is for the name of the URL, whatever the address', async () => {
    expect(await statusOf(`https://models.example.test:${named.port}/`)).toBe(200)
    expect(named.requests.at(-1)?.headers.get('host')).toBe(`models.example.test:${named.port}`)
  })

  it('is right where it is for the address of the URL', async () => {
    expect(await statusOf(`https://127.0.0.1:${addressed.port}/`)).toBe(200)
  })

  it.each([
    ['for another name', () => `https://other.example.test:${named.port}/`],
    ['for a name and not for the address that the URL has', () => `https://127.0.0.1:${named.port}/`],
    [
      'for an address and not for the name that leads there',
      () => `https://models.example.test:${addressed.port}/`,
    ],
  ])('is not right where it is %s', async (_, url) => {
    const { what, message } = await failure(url())
    expect(what).toBe('FETCH_FAILED: connection')
    expect(message).toContain('certificate')
  })

  it('is not right for a name that only the host header claims', async () => {
    const headers = new Headers({ host: 'models.example.test' })
    expect((await failure(`https://127.0.0.1:${named.port}/`, { headers })).message).toContain('certificate')
  })

  it('is not right where nobody who is trusted has signed it, whatever the environment says', async () => {
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    try {
      const url = `https://models.example.test:${named.port}/`
      expect((await failure(url, { certificateAuthority: undefined })).message).toContain('certificate')
    } finally {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before
    }
  })
})

describe('a connection', () => {
  it('goes to no address but those given', async () => {
    // The name means this machine to the system, where the server listens.
    expect((await failure(`http://localhost:${plain.port}/`, { addresses: ['::1'] })).what).toBe(
      'FETCH_FAILED: connection',
    )
    expect(await statusOf(`http://localhost:${plain.port}/`)).toBe(200)
  })

  it.each([
    ['nobody listens', '', 'cannot be reached'],
    ['the server closes without a word', '', 'broke the connection off'],
    ['the server speaks something else', 'SSH-2.0-x\r\n\r\n', 'HTTP/1.1'],
    [
      'the head has two lengths',
      'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
      'HTTP/1.1',
    ],
    ['the head has no end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(1_000_000)}`, 'HTTP/1.1'],
    [
      'the protocol is changed',
      'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
      'another protocol',
    ],
  ])('fails where %s', async (what, bytes, words) => {
    plain.reply('/raw', { kind: 'raw', bytes })
    const url = what === 'nobody listens' ? 'http://127.0.0.1:1/' : `${plain.url}/raw`
    const { what: error, message } = await failure(url)
    expect(error).toBe('FETCH_FAILED: connection')
    expect(message).toContain(words)
  })

  it('is freed by the signal, before the reply and after its head', async () => {
    for (const behaviour of [{ kind: 'never' }, { kind: 'endless', chunk: 'x'.repeat(10_000) }] as const) {
      plain.reply('/held', behaviour)
      const caller = new AbortController()
      const sent = exchange(orderOf(`${plain.url}/held`, { signal: caller.signal }))
      const settled = behaviour.kind === 'never' ? plain.until(({ connections }) => connections === 1) : sent
      await settled
      caller.abort()
      if (behaviour.kind === 'never')
        expect((await fetchErrorOf(() => sent)).what).toBe('FETCH_FAILED: connection')
      await plain.until(({ connections }) => connections === 0)
    }
  })
})
