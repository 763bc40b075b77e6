import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { defineFunction } from '../../runtime/index.ts'
import { assertMediaType, namesMediaType } from '../../runtime/server/media-type.ts'
import { manifestOf } from './served.ts'

const manifest = manifestOf('a.ts', defineFunction({ input: Type.Unknown(), handler: () => null }))

describe('a body', () => {
  it.each([{}, { 'content-type': 'application/json' }, { 'content-encoding': 'identity' }])(
    'is taken with the headers %j',
    (headers) => {
      expect(() => assertMediaType(new Headers(headers), manifest)).not.toThrow()
    },
  )

  it.each([{ 'content-type': 'text/plain' }, { 'content-encoding': 'br' }])(
    'is refused with the headers %j',
    (headers) => {
      expect(() => assertMediaType(new Headers(headers), manifest)).toThrow(
        expect.objectContaining({
          code: 'MEDIA_TYPE_UNSUPPORTED',
          details: { accepted: ['application/json'] },
        }),
      )
    },
  )
})

it.each([
  ['application/x-ndjson', true],
  ['text/html, Application/X-NDJSON;q=0.5', true],
  ['*/*', false],
  ['application/*', false],
  ['application/x-ndjson-more', false],
  ['', false],
  [null, false],
])('the header Accept "%s" names lines of JSON: %s', (accept, names) => {
  expect(namesMediaType(accept, 'application/x-ndjson')).toBe(names)
})
