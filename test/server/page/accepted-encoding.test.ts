import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { acceptedEncodings } from '../../../runtime/server/page/accepted-encoding.ts'

describe('acceptedEncodings', () => {
  it.each<[header: string | null, encodings: readonly string[]]>([
    [null, []],
    ['', []],
    ['identity', []],
    ['deflate, zstd', []],
    ['gzip', ['gzip']],
    ['x-gzip', ['gzip']],
    ['gzip, deflate, br, zstd', ['br', 'gzip']],
    ['BR;Q=0.5 , GZip', ['gzip', 'br']],
    ['br;q=0.2, gzip;q=0.8', ['gzip', 'br']],
    ['br;q=0, gzip', ['gzip']],
    ['br;q=0.000, gzip;q=0', []],
    ['*', ['br', 'gzip']],
    ['*;q=0.5, gzip;q=0', ['br']],
    ['*;q=0', []],
    ['identity, br;q=0.5', []],
    ['identity;q=0.5, br;q=0.5', ['br']],
    ['br;q=2', []],
    ['br;q=', []],
    ['br;q=1e9', []],
    ['br;q=-1', []],
    ['brotli', []],
  ])('reads %j', (header, encodings) => {
    expect(acceptedEncodings(header)).toEqual(encodings)
  })

  it('takes any text for what it is', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        for (const encoding of acceptedEncodings(header))
          expect(header.toLowerCase()).toMatch(encoding === 'br' ? /br|\*/ : /gzip|\*/)
      }),
    )
  })
})
