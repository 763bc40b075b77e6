import { describe, expect, it } from 'vitest'
import { bytesOf, chunksOf } from '../../runtime/runner/reply-bytes.ts'
import { errorOf } from '../client/failed.ts'
import { bodyOf, itemsOf, readingOf } from '../client/reading.ts'
import { startHostileServer } from '../support/hostile-server.ts'

describe('a reply', () => {
  it('is read whole', async () => {
    expect(await bytesOf(bodyOf(Uint8Array.of(1), Uint8Array.of(2, 3)), readingOf())).toEqual(
      Uint8Array.of(1, 2, 3),
    )
    expect(await bytesOf(null, readingOf())).toHaveLength(0)
  })

  it('of more bytes than are taken is not read to its end', async () => {
    await using server = await startHostileServer()
    server.reply('/', { kind: 'endless', chunk: 'x'.repeat(10_000) })
    const { body } = await fetch(server.url)
    const error = await errorOf(bytesOf(body, readingOf({ maxBytes: 100_000 })))
    expect(error).toMatchObject({ code: 'FETCH_FAILED', details: { reason: 'content' }, requestId: 'r-1' })
    expect(error.message).toContain('maxReplyBytes')
    await server.until(({ connections }) => connections === 0)
  })

  it.each([{ reset: true }, { reset: false }])('that breaks off says so: %j', async ({ reset }) => {
    await using server = await startHostileServer()
    server.reply('/', { kind: 'cut-off', body: 'x'.repeat(1_000), afterBytes: 500, reset })
    const { body } = await fetch(server.url)
    const error = await errorOf(bytesOf(body, readingOf()))
    expect(error).toMatchObject({ code: 'FETCH_FAILED', details: { reason: 'cut-off' } })
  })

  it('ends with the reason of the signal', async () => {
    await using server = await startHostileServer()
    server.reply('/', { kind: 'stall', body: 'x'.repeat(1_000), afterBytes: 500 })
    const controller = new AbortController()
    const { signal } = controller
    const { body } = await fetch(server.url, { signal })
    const outcome = bytesOf(body, readingOf({ signal }))
    controller.abort(new Error('gone'))
    await expect(outcome).rejects.toThrow('gone')
  })

  it('ends when nobody reads on', async () => {
    await using server = await startHostileServer()
    server.reply('/', { kind: 'endless', chunk: 'x'.repeat(10_000) })
    const { body } = await fetch(server.url)
    if (!body) throw new Error('There is no body.')
    for await (const _ of chunksOf(body, readingOf())) break
    await server.until(({ connections }) => connections === 0)
    expect(await itemsOf(chunksOf(bodyOf(), readingOf()))).toEqual([])
  })
})
