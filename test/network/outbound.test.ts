import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OutboundRequest, type OutboundResponse, request } from '../../runtime/network/outbound.ts'
import { type HostileServer, startHostileServer } from '../support/hostile-server.ts'
import { fetchErrorOf } from './refusals.ts'

let server: HostileServer
let other: HostileServer
beforeAll(async () => {
  server = await startHostileServer()
  other = await startHostileServer()
})
afterAll(async () => {
  for (const started of [server, other]) await started[Symbol.asyncDispose]()
})

/** Sends a request to a path of the server, which is a listed origin. */
function send(path: string, options: Partial<OutboundRequest> = {}): Promise<OutboundResponse> {
  const policy = { origins: [server.url], hosts: ['*'] }
  return request({ url: server.url + path, policy, ...options })
}

async function textOf({ body }: OutboundResponse): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) text += decoder.decode(chunk, { stream: true })
  return text
}

async function whatFails(path: string, options: Partial<OutboundRequest> = {}): Promise<string> {
  return (await fetchErrorOf(() => send(path, options))).what
}

describe('a request', () => {
  it('brings the reply with its status, headers and bytes', async () => {
    server.reply('/ok', { kind: 'reply', status: 203, headers: { 'x-a': '1', etag: '"e"' }, body: 'hello' })
    const response = await send('/ok?q=1#fragment')
    expect(response).toMatchObject({ status: 203, url: `${server.url}/ok?q=1` })
    expect(response.headers.get('etag')).toBe('"e"')
    expect(await textOf(response)).toBe('hello')
    expect(server.requests.at(-1)).toMatchObject({ method: 'GET', target: '/ok?q=1' })
  })

  it('names the host, asks for no compression and keeps no connection', async () => {
    server.reply('/head', { kind: 'json', value: 1 })
    await textOf(
      await send('/head', { headers: { host: 'evil.example', 'accept-encoding': 'gzip', 'x-a': 'b' } }),
    )
    expect(Object.fromEntries(server.requests.at(-1)?.headers ?? [])).toEqual({
      host: `127.0.0.1:${server.port}`,
      'accept-encoding': 'identity',
      connection: 'close',
      'user-agent': 'isoplex',
      'x-a': 'b',
    })
  })

  it('sends a body with its length', async () => {
    server.reply('/post', { kind: 'reply', status: 201 })
    for (const body of ['{"a":1}', Buffer.from('{"a":1}')]) {
      expect((await send('/post', { method: 'POST', body })).status).toBe(201)
      const { method, headers, body: received } = server.requests.at(-1) ?? {}
      expect([method, headers?.get('content-length'), Buffer.from(received ?? []).toString()]).toEqual([
        'POST',
        '7',
        '{"a":1}',
      ])
    }
  })

  it.each([301, 404, 429, 500, 503])('hands back status %i to whoever asked', async (status) => {
    server.reply('/status', { kind: 'reply', status, headers: { 'retry-after': '7' }, body: 'why' })
    const response = await send('/status')
    expect([response.status, response.headers.get('retry-after'), await textOf(response)]).toEqual([
      status,
      '7',
      'why',
    ])
  })

  it('is not sent where its URL is refused', async () => {
    await server.until(({ connections }) => connections === 0)
    const before = server.requests.length
    expect(await whatFails('/ok', { policy: { origins: [], hosts: ['*'] } })).toBe('URL_REFUSED: scheme')
    expect(await whatFails('', { url: 'https://127.0.0.1:1/' })).toBe('URL_REFUSED: address')
    expect(server.requests.length).toBe(before)
    expect(server.connections).toBe(0)
  })

  it('does not repeat a header’s value in an error: it may be a credential', async () => {
    await expect(send('/ok', { headers: { authorization: 'sec\nret' } })).rejects.toThrow(/^(?!.*sec)/s)
  })

  it('does not go through a proxy of the environment', async () => {
    const names = ['HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY']
    const before = names.map((name) => process.env[name])
    for (const name of names) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : other.url
    try {
      server.reply('/direct', { kind: 'reply', body: 'direct' })
      expect(await textOf(await send('/direct'))).toBe('direct')
    } finally {
      for (const [index, name] of names.entries()) {
        if (before[index] === undefined) delete process.env[name]
        else process.env[name] = before[index]
      }
    }
  })
})

describe('the addresses of a name', () => {
  const named = (addresses: readonly string[][], hosts: readonly string[] = []): Partial<OutboundRequest> => {
    const turns = [...addresses]
    const url = `http://models.example.test:${server.port}/named`
    return {
      url,
      policy: { origins: hosts.length > 0 ? [] : [new URL(url).origin], hosts },
      resolve: async () => turns.shift() ?? [],
    }
  }

  it('are looked up once, and what was checked is connected to', async () => {
    server.reply('/named', { kind: 'reply', body: 'here' })
    // A second lookup would lead to nowhere.
    const response = await send('', named([['127.0.0.1']]))
    expect(await textOf(response)).toBe('here')
    expect(server.requests.at(-1)?.headers.get('host')).toBe(`models.example.test:${server.port}`)
  })

  it('are looked up anew for each request, so that no connection outlives a judgement', async () => {
    server.reply('/named', { kind: 'reply', body: 'here' })
    const options = named([['127.0.0.1'], ['169.254.169.254']])
    await textOf(await send('', options))
    expect(await whatFails('', options)).toBe('URL_REFUSED: address')
  })

  it('are tried in turn', async () => {
    server.reply('/named', { kind: 'reply', body: 'here' })
    // The server does not listen on the first.
    expect(await textOf(await send('', named([['::1', '127.0.0.1']])))).toBe('here')
  })

  it('refuse the request where one of them is not allowed', async () => {
    for (const addresses of [['127.0.0.1', '169.254.169.254'], ['fe80::1', '127.0.0.1'], ['0.0.0.0']])
      expect(await whatFails('', named([addresses]))).toBe('URL_REFUSED: address')
    const url = 'https://models.example.test/'
    for (const addresses of [
      ['127.0.0.1'],
      ['1.1.1.1', '10.0.0.1'],
      ['::ffff:192.168.0.1'],
      ['not an address'],
    ])
      expect(await whatFails('', { ...named([addresses], ['*']), url })).toBe('URL_REFUSED: address')
  })

  it('fail the request where there are none', async () => {
    expect(await whatFails('', named([[]]))).toBe('FETCH_FAILED: connection')
  })

  it('are not waited for longer than the request', async () => {
    const resolve = (): Promise<never> => new Promise(() => undefined)
    expect(await whatFails('', { ...named([]), resolve, timeoutMs: 20 })).toBe('FETCH_FAILED: timeout')
  })
})

describe('a request that goes on too long', () => {
  it.each([
    ['never answers', { kind: 'never' }],
    ['sends header after header', { kind: 'drip-head', everyMs: 5 }],
  ] as const)('fails where the server %s', async (_, behaviour) => {
    server.reply('/slow', behaviour)
    expect(await whatFails('/slow', { timeoutMs: 50 })).toBe('FETCH_FAILED: timeout')
    await server.until(({ connections }) => connections === 0)
  })

  it('fails where redirects take the time', async () => {
    server.reply('/from', { kind: 'redirect', to: '/slow' })
    server.reply('/slow', { kind: 'never' })
    expect(await whatFails('/from', { timeoutMs: 50 })).toBe('FETCH_FAILED: timeout')
  })

  it('ends with the caller’s reason when the caller has enough of waiting', async () => {
    server.reply('/slow', { kind: 'never' })
    const caller = new AbortController()
    const sent = send('/slow', { signal: caller.signal })
    await server.until(({ connections }) => connections === 1)
    caller.abort(new Error('enough'))
    await expect(sent).rejects.toThrow('enough')
    await server.until(({ connections }) => connections === 0)
  })

  it('is not sent for a caller who has left', async () => {
    const before = server.requests.length
    await expect(send('/ok', { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone')
    expect(server.requests.length).toBe(before)
  })
})
