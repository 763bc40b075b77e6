import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fileUrlOf, readFileUrl, takesMediaType } from '../../runtime/playground/file-url.ts'

describe('file URLs', () => {
  it('hold any bytes and give them back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), (bytes) => {
        const read = readFileUrl(fileUrlOf(bytes, 'image/png'))
        expect(read?.mediaType).toBe('image/png')
        expect(read?.bytes).toEqual(new Uint8Array(bytes))
      }),
      { numRuns: 30 },
    )
  })

  it('leave parameters of media types out, and say so where the type is not known', () => {
    expect(fileUrlOf(new Uint8Array(), 'audio/webm;codecs=opus')).toBe('data:audio/webm;base64,')
    expect(fileUrlOf(new Uint8Array(), '')).toBe('data:application/octet-stream;base64,')
  })

  it('are read as base64 alone too', () => {
    expect(readFileUrl('AQI=')).toEqual({ mediaType: null, bytes: Uint8Array.of(1, 2) })
    expect(readFileUrl('no base64!')).toBeNull()
  })
})

it.each([
  [['image/png'], 'image/png', true],
  [['image/png'], 'image/jpeg', false],
  [['image/*'], 'IMAGE/JPEG', true],
  [['image/*'], 'imagery/x', false],
  [['*/*'], '', true],
  [['text/plain'], 'text/plain;charset=utf-8', true],
  [['image/png'], '', false],
])('of %j, %j is taken: %s', (taken, mediaType, isTaken) => {
  expect(takesMediaType(taken, mediaType)).toBe(isTaken)
})
