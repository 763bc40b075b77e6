import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CallHead, readCall } from '../../runtime/replica/call-head.ts'
import { concat, encodeHead } from '../../runtime/replica/frame.ts'

const head: CallHead = {
  parent: 1,
  through: ['graph'],
  function: 'leaf',
  model: 'm@2',
  deployment: null,
  timeoutMs: 5,
  params: { id: 'a' },
  query: 'b=c',
  contentType: null,
}

function payloadOf(value: unknown, body: Uint8Array = new Uint8Array()): Uint8Array<ArrayBuffer> {
  return concat(encodeHead(value, body) as Uint8Array<ArrayBuffer>[])
}

describe('a call in its frame', () => {
  it('is read as it was said, with the bytes of its input', () => {
    const read = readCall(payloadOf(head, Uint8Array.of(1, 2)))
    expect(read).toEqual({ head, body: Uint8Array.of(1, 2) })
  })

  it.each([
    { function: 7 },
    { function: 'x'.repeat(2_000) },
    { model: ['../a'] },
    { deployment: {} },
    { timeoutMs: '9' },
    { params: null },
    { params: { a: 1 } },
    { query: null },
    { contentType: 1 },
    { through: 'a' },
    { through: Array.from({ length: 17 }, () => 'a') },
    { parent: '1' },
  ])('is none with %j', (lie) => {
    expect(() => readCall(payloadOf({ ...head, ...lie }))).toThrow(TypeError)
  })

  it('is none where it is something else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => readCall(payloadOf(value))).toThrow(TypeError)
      }),
    )
  })
})
