import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEvents, readLines } from '../../runtime/runner/reply-items.ts'
import { errorOf } from '../client/failed.ts'
import { bodyOf, itemsOf, readingOf } from '../client/reading.ts'

const events = (...chunks: string[]): Promise<unknown[]> =>
  itemsOf(readEvents(bodyOf(...chunks), readingOf()))
const lines = (...chunks: string[]): Promise<unknown[]> => itemsOf(readLines(bodyOf(...chunks), readingOf()))

const broken = '{"error":{"code":"MODEL_NOT_FOUND","message":"No such.","details":{"model":"a"}}}'

/** Cuts bytes in pieces of that size. */
function piecesOf(text: string, size: number): Uint8Array[] {
  const bytes = new TextEncoder().encode(text)
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, piece) =>
    bytes.subarray(piece * size, (piece + 1) * size),
  )
}

describe('a stream', () => {
  it('gives its items however its bytes come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue()), fc.integer({ min: 1, max: 9 }), async (values, size) => {
        const sent = JSON.parse(JSON.stringify(values)) as unknown[]
        const asLines = sent.map((value) => `${JSON.stringify(value)}\n`).join('')
        const asEvents = sent.map((value) => `data: ${JSON.stringify(value)}\n\n`).join('')
        expect(await itemsOf(readLines(bodyOf(...piecesOf(asLines, size)), readingOf()))).toEqual(sent)
        expect(await itemsOf(readEvents(bodyOf(...piecesOf(asEvents, size)), readingOf()))).toEqual(sent)
      }),
    )
  })

  it('of lines takes empty ones for none, and a last one without its end', async () => {
    expect(await lines('1\r\n\n 2 \n', '3')).toEqual([1, 2, 3])
  })

  it('of events passes over what it does not know', async () => {
    const text =
      ': comment\n\nid: 1\nretry: 5\ndata:1\n\nevent: other\ndata: [2,\ndata: 3]\r\n\r\nnonsense here\n\n'
    expect(await events(text)).toEqual([1, [2, 3]])
  })

  it('of events ends with the error that the server ended it with, and takes no item for one', async () => {
    const read: unknown[] = []
    const stream = readEvents(bodyOf(`data: ${broken}\n\nevent: error\ndata: ${broken}\n\n`), readingOf())
    const error = await errorOf(
      (async () => {
        for await (const item of stream) read.push(item)
      })(),
    )
    expect(read).toEqual([JSON.parse(broken)])
    expect(error).toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: 'No such.',
      details: { model: 'a' },
      requestId: 'r-1',
    })
  })

  it('of lines ends with the error that the server ended it with', async () => {
    expect(await errorOf(lines(`1\n${broken}\n`))).toMatchObject({ code: 'MODEL_NOT_FOUND' })
  })

  it.each([
    '{"error":null}',
    '{"error":{"code":"OTHER","message":"a"}}',
    '{"error":{"code":"INTERNAL"}}',
    '{"error":{"code":"INTERNAL","message":"a"},"more":1}',
  ])('of lines takes %s for an item', async (line) => {
    expect(await lines(line)).toEqual([JSON.parse(line)])
  })

  it.each([
    ['an item that is no JSON', () => lines('1\n{"a":\n')],
    ['an event that is no JSON', () => events('data: [DONE]\n\n')],
    ['an item that was never finished', () => events('data: 1\n\ndata: 2\n')],
  ])('with %s is refused', async (_, read) => {
    expect(await errorOf(read())).toMatchObject({ code: 'FETCH_FAILED', details: { reason: 'content' } })
  })
  it.each([
    ['lines', readLines, 'x'.repeat(100)],
    ['events', readEvents, `data: ${'x'.repeat(100)}\n`],
  ])('of %s is not read on in an item of more bytes than are taken', async (_, read, chunk) => {
    let taken = 0
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        taken += 1
        controller.enqueue(new TextEncoder().encode(chunk))
      },
    })
    const error = await errorOf(itemsOf(read(endless, readingOf({ maxBytes: 1_000 }))))
    expect(error.message).toContain('"maxReplyBytes"')
    expect(taken).toBeLessThan(20)
  })
})
