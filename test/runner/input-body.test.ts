import { describe, expect, it } from 'vitest'
import { fileValue } from '../../runtime/define/file-value.ts'
import { tensor } from '../../runtime/engine/tensor.ts'
import type { EncodedBody } from '../../runtime/runner/form-parts.ts'
import { valueOfForm } from '../../runtime/runner/form-value.ts'
import { encodeInput } from '../../runtime/runner/input-body.ts'
import { parseMultipart } from '../../runtime/runner/multipart.ts'

async function encoded(input: unknown): Promise<EncodedBody> {
  const body = await encodeInput(input)
  if (!body) throw new Error('There is no body.')
  return body
}

const textOf = ({ bytes }: EncodedBody): string => new TextDecoder().decode(bytes)

/** An object that holds itself. */
const loop: Record<string, unknown> = {}
loop.self = loop

describe('an input', () => {
  it('that is none has no body', async () => {
    expect(await encodeInput(undefined)).toBeNull()
  })

  it.each([
    [{ a: [1, 'ä', null], gone: undefined }, '{"a":[1,"ä",null]}'],
    [null, 'null'],
    ['a', '"a"'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ])('of plain values is JSON', async (input, json) => {
    const body = await encoded(input)
    expect([body.contentType, textOf(body)]).toEqual(['application/json', json])
  })

  it('that is a tensor is its bytes, named by type and shape', async () => {
    expect(await encodeInput(tensor('int16', Int16Array.of(1, 2), [2, 1]))).toEqual({
      contentType: 'application/octet-stream; type=int16; dims="2,1"',
      bytes: Uint8Array.of(1, 0, 2, 0),
    })
  })

  it('that is a tensor of texts is its JSON form', async () => {
    const body = await encoded(tensor('string', ['a'], [1]))
    expect([body.contentType, JSON.parse(textOf(body))]).toEqual([
      'application/json',
      { type: 'string', dims: [1], data: ['a'] },
    ])
  })

  it.each([
    ['of our own kind', fileValue(Uint8Array.of(1), 'image/png', 'a.png'), 'image/png'],
    ['of the platform', new File([Uint8Array.of(1)], 'a.png', { type: 'image/png' }), 'image/png'],
    ['with parameters', new Blob([Uint8Array.of(1)], { type: 'text/plain; charset=x' }), 'text/plain'],
    ['of no type', new Blob([Uint8Array.of(1)]), 'application/octet-stream'],
    ['of a strange type', new Blob([Uint8Array.of(1)], { type: 'a b' }), 'application/octet-stream'],
  ])('that is a file %s is its bytes', async (_, file, contentType) => {
    expect(await encodeInput(file)).toEqual({ contentType, bytes: Uint8Array.of(1) })
  })

  it('that holds files and tensors is a form', async () => {
    const scores = tensor('float32', Float32Array.of(Number.NaN), [1])
    const picture = new File([Uint8Array.of(1)], 'a.png', { type: 'image/png' })
    const { contentType, bytes } = await encoded({ list: [{ picture }], scores, n: 1 })
    expect(valueOfForm(parseMultipart(contentType, bytes))).toEqual({
      list: [{ picture: fileValue(Uint8Array.of(1), 'image/png', 'a.png') }],
      scores,
      n: 1,
    })
  })

  it.each([
    ['a function', () => 1],
    ['a bigint', { a: 1n }],
    ['an object that holds itself', loop],
  ])('that is %s is refused where JSON cannot carry it', async (_, input) => {
    await expect(encodeInput(input)).rejects.toThrow(TypeError)
  })
})
