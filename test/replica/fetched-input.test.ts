import { Type } from '@sinclair/typebox'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FetchedInput, InputFetchOptions } from '../../runtime/define/context.ts'
import { defineFunction } from '../../runtime/define/function.ts'
import { createOutboundPolicy } from '../../runtime/network/policy.ts'
import { createInputFetch } from '../../runtime/replica/fetched-input.ts'
import { fetchErrorOf } from '../network/refusals.ts'
import type { HostileBehaviour } from '../support/hostile-behaviour.ts'
import { type HostileServer, startHostileServer } from '../support/hostile-server.ts'
import { startLone } from './lone-runner.ts'

let server: HostileServer
beforeEach(async () => {
  server = await startHostileServer()
})
afterEach(() => server[Symbol.asyncDispose]())

const png = { 'content-type': 'Image/PNG; charset=binary' }
const picture: HostileBehaviour = { kind: 'reply', headers: png, body: 'pixels' }

function get(behaviour: HostileBehaviour, options: InputFetchOptions = {}): Promise<FetchedInput> {
  server.reply('/picture', behaviour)
  const policy = createOutboundPolicy([server.url])
  const { signal } = new AbortController()
  return createInputFetch(policy)(`${server.url}/picture?sig=secret`, options, signal)
}

async function whatFails(behaviour: HostileBehaviour, options: InputFetchOptions = {}): Promise<string> {
  const { what, message } = await fetchErrorOf(() => get(behaviour, options))
  expect(message).not.toContain('secret')
  await server.until(({ connections }) => connections === 0)
  return what
}

describe('an input by URL', () => {
  it('has its bytes, its media type and the URL that answered', async () => {
    expect(await get(picture)).toEqual({
      bytes: Uint8Array.from(Buffer.from('pixels')),
      mediaType: 'image/png',
      url: `${server.url}/picture?sig=secret`,
    })
  })

  it.each([[{}], [{ 'content-type': 'rubbish' }], [{ 'content-type': '*/*' }]])(
    'is of no known media type with %j',
    async (headers) => {
      const { mediaType } = await get({ kind: 'reply', headers, body: 'x' })
      expect(mediaType).toBe('application/octet-stream')
    },
  )

  it('is asked for by the media types that are taken', async () => {
    await get(picture, { mediaTypes: ['image/webp', 'image/PNG'] })
    expect(server.requests.at(-1)?.headers.get('accept')).toBe('image/webp, image/png')
    await get(picture, { mediaTypes: ['image/*'] })
    await get(picture)
    expect(server.requests.at(-1)?.headers.get('accept')).toBe('*/*')
  })

  it('is refused where it is of another media type, before it is read', async () => {
    const stalled: HostileBehaviour = { kind: 'stall', body: 'pixels', afterBytes: 0 }
    expect(await whatFails(stalled, { mediaTypes: ['image/*'] })).toBe('URL_REFUSED: media-type')
    expect(await whatFails(picture, { mediaTypes: ['image/jpeg', 'text/*'] })).toBe('URL_REFUSED: media-type')
  })

  it('is refused where it is larger than 10 MiB, or than is said', async () => {
    const endless: HostileBehaviour = { kind: 'endless', chunk: 'x'.repeat(65_536) }
    expect(await whatFails(endless)).toBe('URL_REFUSED: too-large')
    expect(await whatFails(picture, { maxBytes: 5 })).toBe('URL_REFUSED: too-large')
    expect((await get(picture, { maxBytes: 6 })).bytes.length).toBe(6)
  })

  it.each([300, 304, 401, 404, 500])('fails with the server’s status %i', async (status) => {
    expect(await whatFails({ kind: 'reply', status, headers: png })).toBe('FETCH_FAILED: status')
  })

  it('fails where it takes too long, is cut off or packed', async () => {
    const drip: HostileBehaviour = { kind: 'drip', body: 'x'.repeat(1000), everyMs: 5 }
    expect(await whatFails(drip, { timeoutMs: 50 })).toBe('FETCH_FAILED: timeout')
    expect(await whatFails({ kind: 'cut-off', body: 'pixels', afterBytes: 3 })).toBe('FETCH_FAILED: cut-off')
    expect(await whatFails({ kind: 'gzip-bomb', unpackedBytes: 1e7 })).toBe('FETCH_FAILED: encoding')
  })

  it.each([{ maxBytes: 0 }, { maxBytes: 1.5 }, { timeoutMs: -1 }, { timeoutMs: Number.NaN }])(
    'needs bounds that are whole numbers, unlike %j',
    async (options) => {
      await expect(get(picture, options)).rejects.toThrow(TypeError)
    },
  )

  it('may be given any time', async () => {
    expect((await get(picture, { timeoutMs: Number.MAX_SAFE_INTEGER })).bytes.length).toBe(6)
  })
})

describe('a function', () => {
  const definition = defineFunction({
    input: Type.String(),
    async handler({ input, fetchInput }) {
      const { bytes, mediaType } = await fetchInput(input, { mediaTypes: ['image/*'] })
      return { size: bytes.length, mediaType }
    },
  })

  it('fetches from an origin that is listed, and from no other', async () => {
    await using unlisted = await startHostileServer()
    server.reply('/picture', picture)
    const lone = await startLone(definition, { inputHosts: [server.url, '*'] })
    lone.batch({ 1: `${server.url}/picture`, 2: `${unlisted.url}/picture`, 3: 'https://127.0.0.1/' })
    expect(await lone.value(1)).toEqual({ size: 6, mediaType: 'image/png' })
    expect((await lone.ended(2)).error).toMatchObject({ code: 'URL_REFUSED', details: { reason: 'scheme' } })
    expect((await lone.ended(3)).error).toMatchObject({ code: 'URL_REFUSED', details: { reason: 'address' } })
    expect(unlisted.requests).toEqual([])
  })

  it('stops fetching when its caller has gone', async () => {
    server.reply('/picture', { kind: 'never' })
    const lone = await startLone(definition, { inputHosts: [server.url] })
    lone.batch({ 1: `${server.url}/picture` })
    await server.until(({ connections }) => connections === 1)
    lone.cancel(1)
    await server.until(({ connections }) => connections === 0)
    await lone.ended(1)
    expect(lone.lines).toEqual([])
  })
})
