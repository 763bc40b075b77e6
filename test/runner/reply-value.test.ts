import { describe, expect, it } from 'vitest'
import { fileValue } from '../../runtime/define/file-value.ts'
import { tensor } from '../../runtime/engine/tensor.ts'
import { takeApart, writeForm } from '../../runtime/runner/form-parts.ts'
import { acceptedReplies, readReply } from '../../runtime/runner/reply-value.ts'
import { errorOf } from '../client/failed.ts'
import { itemsOf, readingOf } from '../client/reading.ts'

/** What a client reads of a reply. */
async function read(body: BodyInit | null, headers: Record<string, string> = {}): Promise<unknown> {
  return (await readReply(new Response(body, { headers }), readingOf())).value
}

const asTensor = (type: string, dims: string): Record<string, string> => ({
  'content-type': 'application/octet-stream',
  'x-tensor-type': type,
  'x-tensor-dims': dims,
})

describe('a reply', () => {
  it('of JSON is its value', async () => {
    expect(await read('{"a":[1]}', { 'content-type': 'application/json; charset=utf-8' })).toEqual({ a: [1] })
    expect(await read('null', { 'content-type': 'application/vnd.a+json' })).toBeNull()
  })

  it('of nothing is undefined', async () => {
    expect(await read(null)).toBeUndefined()
  })

  it('of a tensor is that tensor', async () => {
    const bytes = new Uint8Array(Float32Array.of(1, Number.NaN).buffer)
    expect(await read(bytes, asTensor('float32', '1,2'))).toEqual(
      tensor('float32', Float32Array.of(1, Number.NaN), [1, 2]),
    )
    expect(await read('["a"]', { ...asTensor('string', '1'), 'content-type': 'application/json' })).toEqual(
      tensor('string', ['a'], [1]),
    )
  })

  it('of a form is what it holds', async () => {
    const value = { picture: fileValue(Uint8Array.of(1), 'image/png'), n: [1] }
    const { contentType, bytes } = writeForm(takeApart(value))
    expect(await read(bytes, { 'content-type': contentType })).toEqual(value)
  })

  it.each([
    ['image/PNG', 'image/png'],
    ['text/html; charset=utf-8', 'text/html'],
    ['nonsense', 'application/octet-stream'],
    ['multipart/form-data; boundary=a', 'multipart/form-data'],
  ])('of anything else, such as %s, is a file', async (contentType, mediaType) => {
    const bytes = new TextEncoder().encode('--a--')
    expect(await read(bytes, { 'content-type': contentType })).toEqual(fileValue(bytes, mediaType))
  })

  it('that streams is what comes', async () => {
    const reply = new Response('1\n2\n', { headers: { 'content-type': 'application/x-ndjson' } })
    const { value, streams } = await readReply(reply, readingOf())
    expect(streams).toBe(true)
    expect(await itemsOf(value as AsyncIterable<unknown>)).toEqual([1, 2])
    const events = await read('data: 1\n\n', { 'content-type': 'text/event-stream; charset=utf-8' })
    expect(await itemsOf(events as AsyncIterable<unknown>)).toEqual([1])
  })

  it.each([
    ['JSON that is none', '{"a":', { 'content-type': 'application/json' }],
    ['JSON that is empty', '', { 'content-type': 'application/json' }],
    ['JSON that is no text', Uint8Array.of(0xff), { 'content-type': 'application/json' }],
    ['a tensor of other bytes', 'abc', asTensor('float32', '1')],
    ['a tensor of billions of rows', '', asTensor('float32', '4000000000,0')],
    ['a form that is none', 'abc', { 'content-type': 'multipart/form-data; boundary=x' }],
  ])('that lies is refused: %s', async (_, body, headers) => {
    const error = await errorOf(read(body, headers))
    expect(error).toMatchObject({ code: 'FETCH_FAILED', details: { reason: 'content' }, requestId: 'r-1' })
  })
})

it('is asked for in every form that is read', () => {
  expect(acceptedReplies.split(', ')).toEqual([
    'application/json',
    'application/octet-stream',
    'multipart/form-data',
    'text/event-stream',
    '*/*;q=0.1',
  ])
})
