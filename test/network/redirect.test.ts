import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OutboundRequest, type OutboundResponse, request } from '../../runtime/network/outbound.ts'
import { namedCertificate, testAuthority } from '../support/hostile-certificates.ts'
import { type HostileServer, startHostileServer } from '../support/hostile-server.ts'
import { fetchErrorOf } from './refusals.ts'

let server: HostileServer
let other: HostileServer
let secure: HostileServer
beforeAll(async () => {
  server = await startHostileServer()
  other = await startHostileServer()
  secure = await startHostileServer({ certificate: namedCertificate })
})
afterAll(async () => {
  for (const started of [server, other, secure]) await started[Symbol.asyncDispose]()
})

/** Sends a request to a path of the server, which is a listed origin as the other one is. */
function send(path: string, options: Partial<OutboundRequest> = {}): Promise<OutboundResponse> {
  const policy = { origins: [server.url, other.url, secureUrl()], hosts: ['*'] }
  return request({ url: server.url + path, policy, ...options })
}

function secureUrl(): string {
  return `https://models.example.test:${secure.port}`
}

const secureOptions = { resolve: async () => ['127.0.0.1'], certificateAuthority: testAuthority }

async function textOf({ body }: OutboundResponse): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) text += decoder.decode(chunk, { stream: true })
  return text
}

async function whatFails(path: string, options: Partial<OutboundRequest> = {}): Promise<string> {
  return (await fetchErrorOf(() => send(path, options))).what
}

describe('a redirect', () => {
  it.each([301, 302, 303, 307, 308])('with status %i is followed', async (status) => {
    server.reply('/from', { kind: 'redirect', status, to: 'to?x=1' })
    server.reply('/to', { kind: 'reply', body: 'there' })
    const response = await send('/from')
    expect(response.url).toBe(`${server.url}/to?x=1`)
    expect(await textOf(response)).toBe('there')
  })

  it('is handed back where it leads nowhere, or the request is not one to send twice', async () => {
    server.reply('/nowhere', { kind: 'reply', status: 302 })
    expect((await send('/nowhere')).status).toBe(302)
    server.reply('/from', { kind: 'redirect', to: '/to' })
    expect((await send('/from', { method: 'POST', body: 'x' })).status).toBe(302)
    expect((await send('/from', { method: 'DELETE' })).status).toBe(302)
  })

  it.each([
    ['file:///etc/passwd', 'scheme'],
    ['ftp://127.0.0.1/', 'scheme'],
    ['http://127.0.0.1:1/', 'scheme'],
    ['http://169.254.169.254/latest/meta-data/', 'scheme'],
    ['https://169.254.169.254/latest/meta-data/', 'address'],
    ['https://[::ffff:169.254.169.254]/', 'address'],
    ['https://127.0.0.1/', 'address'],
    ['https://[::1]/', 'address'],
    ['https://10.0.0.1/', 'address'],
    ['//user:word@a.example/', 'credentials'],
    ['https://user:word@a.example/', 'credentials'],
    ['http://', 'malformed'],
    ['https://[', 'malformed'],
  ])('to %s is refused', async (to, reason) => {
    server.reply('/from', { kind: 'redirect', to })
    expect(await whatFails('/from')).toBe(`URL_REFUSED: ${reason}`)
    await server.until(({ connections }) => connections === 0)
  })

  it('to a host that is not listed is refused', async () => {
    server.reply('/from', { kind: 'redirect', to: `${other.url}/to` })
    expect(await whatFails('/from', { policy: { origins: [server.url], hosts: [] } })).toBe(
      'URL_REFUSED: host',
    )
  })

  it('is followed three times, or as often as is said', async () => {
    for (const [from, to] of ['ab', 'bc', 'cd', 'de'])
      server.reply(`/${from}`, { kind: 'redirect', to: `/${to}` })
    server.reply('/d', { kind: 'reply', body: 'end' })
    expect(await textOf(await send('/a'))).toBe('end')
    expect(await whatFails('/a', { maxRedirects: 2 })).toBe('URL_REFUSED: redirects')
    expect(await whatFails('/a', { maxRedirects: 0 })).toBe('URL_REFUSED: redirects')
    server.reply('/loop', { kind: 'redirect', to: '/loop' })
    const before = server.requests.length
    expect(await whatFails('/loop')).toBe('URL_REFUSED: redirects')
    expect(server.requests.length - before).toBe(4)
  })

  it('takes all headers along on the same origin', async () => {
    server.reply('/from', { kind: 'redirect', to: '/to' })
    server.reply('/to', { kind: 'reply' })
    await send('/from', { headers: { authorization: 'mine' } })
    expect(server.requests.at(-1)?.headers.get('authorization')).toBe('mine')
  })

  it('takes no credential to another origin, nor back from there', async () => {
    server.reply('/from', { kind: 'redirect', to: `${other.url}/between` })
    other.reply('/between', { kind: 'redirect', to: `${server.url}/to` })
    server.reply('/to', { kind: 'reply' })
    const headers = {
      authorization: 'a',
      cookie: 'b',
      'synapse-access-token': 'c',
      'x-any': 'd',
      range: 'bytes=1-',
      'if-none-match': '"e"',
    }
    await send('/from', { headers })
    for (const { headers: sent } of [other.requests.at(-1), server.requests.at(-1)].filter(
      (got) => got !== undefined,
    )) {
      expect([...sent.keys()].toSorted()).toEqual([
        'accept-encoding',
        'connection',
        'host',
        'if-none-match',
        'range',
        'user-agent',
      ])
      expect(sent.get('range')).toBe('bytes=1-')
    }
  })

  it('from https to http is refused, even to a listed origin', async () => {
    secure.reply('/down', { kind: 'redirect', to: `${server.url}/ok` })
    expect(await whatFails('', { ...secureOptions, url: `${secureUrl()}/down` })).toBe('URL_REFUSED: scheme')
  })

  it('from http to https is followed', async () => {
    server.reply('/up', { kind: 'redirect', to: `${secureUrl()}/to` })
    secure.reply('/to', { kind: 'reply', body: 'safe' })
    expect(await textOf(await send('/up', secureOptions))).toBe('safe')
  })
})
