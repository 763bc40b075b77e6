import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchPageInput } from '../../runtime/page/fetched-input.ts'

let server: Bun.Server<undefined>
let url: string
const headersSeen: Headers[] = []

beforeAll(() => {
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      headersSeen.push(request.headers)
      const { pathname } = new URL(request.url)
      if (pathname === '/text')
        return new Response('hello', { headers: { 'content-type': 'Text/Plain; x=y' } })
      if (pathname === '/moved') return Response.redirect('/text')
      if (pathname === '/bare') return new Response(Uint8Array.of(1))
      if (pathname === '/endless') return new Response(endless())
      if (pathname === '/silent') return new Promise<Response>(() => undefined)
      return new Response('', { status: 404 })
    },
  })
  url = `http://127.0.0.1:${server.port}`
})
afterAll(() => server.stop(true))

function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(4_096)) })
}

const { signal } = new AbortController()

describe('an input that is fetched in a page', () => {
  it('has its bytes, its media type and the URL that answered', async () => {
    const { bytes, ...rest } = await fetchPageInput(`${url}/moved`, { mediaTypes: ['text/*'] }, signal)
    expect(new TextDecoder().decode(bytes)).toBe('hello')
    expect(rest).toEqual({ mediaType: 'text/plain', url: `${url}/text` })
    expect(headersSeen.at(-1)?.get('accept')).toBe('text/*')
    expect(headersSeen.some((headers) => headers.has('cookie') || headers.has('authorization'))).toBe(false)
  })

  it('has a media type where its server says none', async () => {
    expect(await fetchPageInput(`${url}/bare`, {}, signal)).toMatchObject({
      mediaType: 'application/octet-stream',
    })
  })

  it.each([
    ['no URL', 'nonsense', {}, 'malformed'],
    ['another scheme', 'data:text/plain,hello', {}, 'scheme'],
    ['another scheme of files', 'file:///etc/passwd', {}, 'scheme'],
    ['a password', 'http://user:secret@127.0.0.1/', {}, 'credentials'],
    ['another media type', '/text', { mediaTypes: ['image/png'] }, 'media-type'],
    ['too many bytes', '/endless', { maxBytes: 10_000 }, 'too-large'],
  ])('is refused: %s', async (_, target, options, reason) => {
    const fetched = fetchPageInput(target.startsWith('/') ? url + target : target, options, signal)
    await expect(fetched).rejects.toMatchObject({ code: 'URL_REFUSED', details: { reason } })
    await expect(fetched).rejects.not.toThrow(/secret/)
  })

  it.each([
    ['a status', '/nowhere', {}, 'status'],
    ['no answer in time', '/silent', { timeoutMs: 20 }, 'timeout'],
  ])('fails with its server: %s', async (_, target, options, reason) => {
    await expect(fetchPageInput(url + target, options, signal)).rejects.toMatchObject({
      code: 'FETCH_FAILED',
      details: { reason },
    })
  })

  it('fails where no server is', async () => {
    const gone = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
    const { port } = gone
    await gone.stop(true)
    await expect(fetchPageInput(`http://127.0.0.1:${port}/`, {}, signal)).rejects.toMatchObject({
      code: 'FETCH_FAILED',
      details: { reason: 'connection' },
    })
  })

  it('ends with its request, with the reason of that', async () => {
    const leaving = new AbortController()
    const fetched = fetchPageInput(`${url}/silent`, {}, leaving.signal)
    leaving.abort(new Error('gone'))
    await expect(fetched).rejects.toThrow('gone')
  })

  it('refuses bounds that are none', async () => {
    await expect(fetchPageInput(url, { maxBytes: 0 }, signal)).rejects.toThrow('"maxBytes"')
    await expect(fetchPageInput(url, { timeoutMs: 0.5 }, signal)).rejects.toThrow('"timeoutMs"')
  })
})
