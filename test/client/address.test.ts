import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { baseUrlOf, fillPath } from '../../runtime/client/address.ts'
import { matchPattern } from '../../runtime/route/match.ts'
import { parseRoute } from '../../runtime/route/pattern.ts'
import { issuesOf } from '../replica/refused.ts'

describe('fillPath', () => {
  it('puts values into their places', () => {
    expect(fillPath('/a/{name}/b/{n}', { name: 'Ä/d?#', n: 5, more: 'x' })).toBe('/a/%C3%84%2Fd%3F%23/b/5')
    expect(fillPath('/a', {})).toBe('/a')
  })

  it('gives a path that a server reads as it was meant, and that climbs nowhere', () => {
    const pattern = parseRoute('/v/[name]', 'a.ts')
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (name) => {
        fc.pre(name !== '.' && name !== '..')
        const { pathname, search } = new URL(`http://a${fillPath('/v/{name}', { name })}`)
        expect([matchPattern(pattern, pathname)?.name, search]).toEqual([name, ''])
      }),
    )
  })

  it.each([
    ['is missing', {}],
    ['is missing', { toString: 'a' }],
    ['must not be a step in the path', { name: '..' }],
    ['must not be a step in the path', { name: '.' }],
    ['is no well-formed text', { name: '\ud800' }],
  ])('refuses a value that %s', async (what, params) => {
    expect(await issuesOf(() => fillPath('/a/{name}', params))).toEqual([
      { path: '/params/name', message: `The path parameter "name" ${what}.` },
    ])
  })

  it('takes a percent-encoded step for the text that it is', () => {
    expect(fillPath('/a/{name}', { name: '%2e%2e' })).toBe('/a/%252e%252e')
  })
})

describe('baseUrlOf', () => {
  it.each([
    ['http://localhost:3000', 'http://localhost:3000'],
    ['https://a.example/', 'https://a.example'],
    ['https://a.example/models//?q#h', 'https://a.example/models'],
  ])('of %s is %s', (given, url) => {
    expect(baseUrlOf(given, undefined)).toBe(url)
  })

  it('begins at the page where it is relative', () => {
    expect(baseUrlOf('/', 'https://a.example/b/c.html')).toBe('https://a.example')
    expect(baseUrlOf('../d', 'https://a.example/b/c/')).toBe('https://a.example/b/d')
  })

  it.each(['', '/', 'localhost:3000', 'ftp://a', 'file:///a', 'http://user:secret@a', 'http://'])(
    'refuses %j',
    (given) => {
      expect(() => baseUrlOf(given, undefined)).toThrow(TypeError)
      expect(() => baseUrlOf(given, undefined)).toThrow('"baseUrl"')
    },
  )
})
