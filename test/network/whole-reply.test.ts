import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requestWhole, type WholeReply, type WholeRequest } from '../../runtime/network/whole-reply.ts'
import type { HostileBehaviour } from '../support/hostile-behaviour.ts'
import { type HostileServer, startHostileServer } from '../support/hostile-server.ts'
import { fetchErrorOf } from './refusals.ts'

let server: HostileServer
beforeAll(async () => {
  server = await startHostileServer()
})
afterAll(() => server[Symbol.asyncDispose]())

function ask(behaviour: HostileBehaviour, options: Partial<WholeRequest> = {}): Promise<WholeReply> {
  server.reply('/whole', behaviour)
  const policy = { origins: [server.url], hosts: [] }
  return requestWhole({ url: `${server.url}/whole?sig=secret`, policy, maxBytes: 1000, ...options })
}

async function whatFails(behaviour: HostileBehaviour, options: Partial<WholeRequest> = {}): Promise<string> {
  const { what, message } = await fetchErrorOf(() => ask(behaviour, options))
  expect(message).not.toContain('secret')
  await server.until(({ connections }) => connections === 0)
  return what
}

const chunked = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n`

describe('a whole reply', () => {
  it('has status, headers and bytes', async () => {
    const reply = await ask({ kind: 'reply', status: 404, headers: { 'x-a': 'b' }, body: 'x'.repeat(1000) })
    expect(reply).toMatchObject({ status: 404, url: `${server.url}/whole?sig=secret` })
    expect(reply.headers.get('x-a')).toBe('b')
    expect(reply.bytes).toEqual(new Uint8Array(1000).fill(120))
  })

  it('may be empty', async () => {
    expect((await ask({ kind: 'reply' })).bytes).toEqual(new Uint8Array())
  })

  it('may come in the smallest pieces', async () => {
    const bytes = `${chunked}${'1\r\nx\r\n'.repeat(1000)}0\r\n\r\n`
    expect((await ask({ kind: 'raw', bytes })).bytes).toEqual(new Uint8Array(1000).fill(120))
  })

  it.each([
    ['says so', { kind: 'reply', body: 'x'.repeat(1001) }],
    ['says so and sends less', { kind: 'cut-off', body: 'x'.repeat(1001), afterBytes: 5 }],
    ['does not say so', { kind: 'raw', bytes: `${chunked}${'1\r\nx\r\n'.repeat(1001)}0\r\n\r\n` }],
    ['has no end', { kind: 'endless', chunk: 'x'.repeat(100) }],
  ] as const)('is refused where it is too large and %s', async (_, behaviour) => {
    expect(await whatFails(behaviour)).toBe('URL_REFUSED: too-large')
  })

  it('must come within its time, however it drips', async () => {
    const behaviour = { kind: 'drip', body: 'x'.repeat(1000), everyMs: 5 } as const
    expect(await whatFails(behaviour, { timeoutMs: 60 })).toBe('FETCH_FAILED: timeout')
    expect(await whatFails({ kind: 'never' }, { timeoutMs: 20 })).toBe('FETCH_FAILED: timeout')
  })

  it('fails where it is cut off', async () => {
    expect(await whatFails({ kind: 'cut-off', body: 'x'.repeat(100), afterBytes: 5 })).toBe(
      'FETCH_FAILED: cut-off',
    )
  })

  it('is not read where the one who asks does not want it by its head', async () => {
    const check: WholeRequest['check'] = ({ status, headers }) => {
      throw new Error(`${status} ${headers.get('content-length')}`)
    }
    const asked = ask({ kind: 'stall', body: 'xyz', afterBytes: 0 }, { check })
    await expect(asked).rejects.toThrow('200 3')
    await server.until(({ connections }) => connections === 0)
  })

  it('is given up when the caller leaves', async () => {
    const caller = new AbortController()
    const asked = ask({ kind: 'stall', body: 'xyz', afterBytes: 1 }, { signal: caller.signal })
    await server.until(({ connections }) => connections === 1)
    caller.abort(new Error('enough'))
    await expect(asked).rejects.toThrow('enough')
    await server.until(({ connections }) => connections === 0)
  })
})
