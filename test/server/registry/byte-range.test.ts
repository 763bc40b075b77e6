import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseContentRange, parseRange } from '../../../runtime/server/registry/byte-range.ts'

describe('parseRange', () => {
  it.each([
    ['bytes=0-0', { start: 0, end: 1 }],
    ['bytes=2-4', { start: 2, end: 5 }],
    ['bytes=2-', { start: 2, end: 10 }],
    ['bytes=-3', { start: 7, end: 10 }],
    ['bytes=-30', { start: 0, end: 10 }],
    ['bytes=9-99', { start: 9, end: 10 }],
    [`bytes=0-${'9'.repeat(400)}`, { start: 0, end: 10 }],
    ['Bytes=0-1', { start: 0, end: 2 }],
    [null, null],
    ['', null],
    ['bytes=', null],
    ['bytes=-', null],
    ['bytes=4-2', null],
    ['bytes=0-1,3-4', null],
    ['bytes=0-1,', null],
    ['bytes=0x1-2', null],
    ['bytes=1.5-2', null],
    ['bytes=--1', null],
    ['items=0-1', null],
  ])('reads %s', (header, range) => {
    expect(parseRange(header, 10)).toEqual(range)
  })

  it.each(['bytes=10-', 'bytes=10-20', 'bytes=-0', `bytes=${'9'.repeat(400)}-`])(
    'cannot satisfy %s',
    (header) => {
      expect(() => parseRange(header, 10)).toThrow(expect.objectContaining({ code: 'RANGE_UNSATISFIABLE' }))
    },
  )

  it('gives a part of the file or nothing, whatever is sent', () => {
    const text = fc.oneof(
      fc.string(),
      fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `bytes=${a}-${b}`),
    )
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 1_000 }), (header, sizeBytes) => {
        try {
          const range = parseRange(header, sizeBytes)
          if (range === null) return
          expect(range.start).toBeGreaterThanOrEqual(0)
          expect(range.start).toBeLessThan(range.end)
          expect(range.end).toBeLessThanOrEqual(sizeBytes)
        } catch (error) {
          expect(error).toMatchObject({ code: 'RANGE_UNSATISFIABLE', details: { sizeBytes } })
        }
      }),
    )
  })
})

describe('parseContentRange', () => {
  it('reads where a chunk stands', () => {
    expect(parseContentRange('bytes 0-9/20')).toEqual({ start: 0, end: 10, totalBytes: 20 })
    expect(parseContentRange('bytes 19-19/20')).toEqual({ start: 19, end: 20, totalBytes: 20 })
  })

  it.each([
    null,
    '',
    'bytes 0-9/*',
    'bytes */20',
    'bytes 9-0/20',
    'bytes 10-20/20',
    'bytes 0-9/9',
    'bytes=0-9/20',
    'bytes -1-9/20',
    'bytes 0-9/20, bytes 0-9/20',
    `bytes 0-9/${'9'.repeat(400)}`,
  ])('refuses %s', (header) => {
    expect(parseContentRange(header)).toBeNull()
  })
})
