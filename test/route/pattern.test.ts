import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isIsoplexError } from '../../runtime/error/error.ts'
import {
  compareSpecificity,
  functionNameOf,
  isFunctionFile,
  isPrivateSegment,
  isSystemPath,
  parseFunctionFile,
  parseRoute,
} from '../../runtime/route/pattern.ts'
import { route as anyRoute } from './arbitrary.ts'

describe('isFunctionFile', () => {
  it.each([
    'digits.ts',
    'digits.js',
    'a/b/c.ts',
    '[name].ts',
    'index.ts',
    'v1.0/a.b.ts',
    'latest.ts',
    'd.ts',
  ])('takes %s', (file) => {
    expect(isFunctionFile(file)).toBe(true)
  })

  it.each([
    '_helper.ts',
    '.hidden.ts',
    '_models/digits/train.ts',
    'a/_b/c.ts',
    'a/.b/c.ts',
    'node_modules/a/index.js',
    'types.d.ts',
    'digits.test.ts',
    'digits.test.js',
    'digits.tsx',
    'digits.mjs',
    'digits.TS',
    'readme.md',
    'ts',
    '.ts',
  ])('leaves %s out', (file) => {
    expect(isFunctionFile(file)).toBe(false)
  })
})

describe('parseFunctionFile', () => {
  it.each([
    ['digits.ts', '/digits', '/digits', []],
    ['digits.js', '/digits', '/digits', []],
    ['index.ts', '/', '/', []],
    ['admin/index.ts', '/admin', '/admin', []],
    ['admin/users.ts', '/admin/users', '/admin/users', []],
    ['hello/[name].ts', '/hello/[name]', '/hello/:name', ['name']],
    ['[tenant]/[id]/index.ts', '/[tenant]/[id]', '/:tenant/:id', ['tenant', 'id']],
    ['files/[...rest].ts', '/files/[...rest]', '/files/*', ['rest']],
    ['[...all]/index.ts', '/[...all]', '/*', ['all']],
    ['[id]/[...rest].ts', '/[id]/[...rest]', '/:id/*', ['id', 'rest']],
    ['v1.0/a~b-c_d.ts', '/v1.0/a~b-c_d', '/v1.0/a~b-c_d', []],
    ['index/a.ts', '/index/a', '/index/a', []],
    ['-a.ts', '/-a', '/-a', []],
    ['healthz-page.ts', '/healthz-page', '/healthz-page', []],
    ['a/metrics.ts', '/a/metrics', '/a/metrics', []],
  ])('makes of %s the route %s', (file, route, path, parameters) => {
    const pattern = parseFunctionFile(file)
    expect(pattern).toMatchObject({ route, path, parameters })
    expect(Object.isFrozen(pattern) && Object.isFrozen(pattern.segments)).toBe(true)
  })

  it.each([
    ['[].ts', 'needs a name'],
    ['[...].ts', 'needs a name'],
    ['[1a].ts', 'needs a name'],
    ['[user-id].ts', 'needs a name'],
    ['[__proto__].ts', 'needs a name'],
    ['[[name]].ts', 'whole segment'],
    ['[name.ts', 'whole segment'],
    ['name].ts', 'whole segment'],
    ['user-[id].ts', 'whole segment'],
    ['[id].json.ts', 'whole segment'],
    ['[a][b].ts', 'whole segment'],
    ['[id]/[id].ts', '"id" stands in it twice'],
    ['[id]/[...id].ts', '"id" stands in it twice'],
    ['[...rest]/more.ts', 'nothing can follow'],
    ['[...rest]/[...more].ts', 'nothing can follow'],
    ['a b.ts', 'needs no encoding'],
    ['é.ts', 'needs no encoding'],
    ['a:b.ts', 'needs no encoding'],
    ['a*.ts', 'needs no encoding'],
    ['a%20b.ts', 'needs no encoding'],
    ['a\\b.ts', 'needs no encoding'],
    ['a?.ts', 'needs no encoding'],
    ['(group)/a.ts', 'needs no encoding'],
    ['a\nb.ts', 'needs no encoding'],
    ['a//b.ts', 'empty'],
    ['../a.ts', 'no route'],
    ['_a.ts', 'no route'],
    ['-/a.ts', 'server itself'],
    ['-.ts', 'server itself'],
    ['healthz.ts', 'server itself'],
    ['readyz/index.ts', 'server itself'],
    ['metrics/a.ts', 'server itself'],
  ])('refuses %j and names it', (file, reason) => {
    expect(() => parseFunctionFile(file)).toThrow(
      expect.objectContaining({
        code: 'BUILD_FAILED',
        details: { file, line: null },
        message: expect.stringContaining(reason),
      }),
    )
    expect(() => parseFunctionFile(file)).toThrow(file)
  })
})

describe('parseRoute', () => {
  it('holds a route of its own to the rules of file names', () => {
    expect(parseRoute('/v1/[name]', 'hello.ts')).toEqual(parseFunctionFile('v1/[name].ts'))
    expect(parseRoute('/', 'hello.ts')).toEqual(parseFunctionFile('index.ts'))
  })

  it.each([
    '',
    'v1',
    '/v1/',
    '//',
    '/a//b',
    '/-/x',
    '/healthz',
    '/_a',
    '/..',
    '/a?b',
    '/:name',
    '/*',
    '/[a]/[a]',
  ])('refuses %j and names the file', (text) => {
    expect(() => parseRoute(text, 'hello.ts')).toThrow(
      expect.objectContaining({ code: 'BUILD_FAILED', message: expect.stringContaining('hello.ts') }),
    )
  })

  it('gives the pattern again from the route that the pattern tells', () => {
    fc.assert(
      fc.property(anyRoute, (text) => {
        const pattern = parseRoute(text, 'any.ts')
        expect(pattern.route).toBe(text)
        expect(parseRoute(pattern.route, 'any.ts')).toEqual(pattern)
      }),
    )
  })

  it('gives a pattern or refuses, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'/[].:*_-a1é %\\\u0000') }), (text) => {
        try {
          expect(parseRoute(text, 'any.ts').path).toMatch(/^\/[A-Za-z0-9._~:*/-]*$/)
        } catch (error) {
          expect(isIsoplexError(error) && error.code).toBe('BUILD_FAILED')
        }
      }),
    )
  })
})

describe('functionNameOf', () => {
  it.each([
    ['digits.ts', 'digits'],
    ['admin/users.js', 'admin/users'],
    ['admin/index.ts', 'admin'],
    ['index.ts', 'index'],
    ['hello/[name].ts', 'hello/[name]'],
    ['myindex.ts', 'myindex'],
  ])('names %s %s', (file, name) => {
    expect(functionNameOf(file)).toBe(name)
  })
})

describe('compareSpecificity', () => {
  it('puts text before parameters and parameters before the rest, from the left', () => {
    const routes = [
      '/[...rest]',
      '/[a]/b',
      '/a/[...rest]',
      '/a',
      '/[a]',
      '/a/[b]',
      '/a/b',
      '/',
      '/[a]/[...rest]',
    ]
    const ordered = routes.map((text) => parseRoute(text, 'any.ts')).toSorted(compareSpecificity)
    expect(ordered.map(({ route }) => route)).toEqual([
      '/',
      '/a',
      '/a/b',
      '/a/[b]',
      '/a/[...rest]',
      '/[a]',
      '/[a]/b',
      '/[a]/[...rest]',
      '/[...rest]',
    ])
  })

  it('orders alike whatever the order before', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyRoute, { maxLength: 12 }), (texts) => {
        const patterns = texts.map((text) => parseRoute(text, 'any.ts'))
        const paths = (list: typeof patterns): string[] =>
          list.toSorted(compareSpecificity).map(({ path }) => path)
        expect(paths(patterns.toReversed())).toEqual(paths(patterns))
      }),
    )
  })
})

it('knows the paths of the server itself', () => {
  for (const path of ['/-', '/-/routes', '/healthz', '/readyz', '/metrics', '/metrics/x']) {
    expect(isSystemPath(path), path).toBe(true)
  }
  for (const path of ['/', '/-a', '/healthz2', '/a/healthz', '']) expect(isSystemPath(path), path).toBe(false)
})

it('tells folders of helpers from folders of functions', () => {
  expect(['_models', '.git', 'node_modules'].every(isPrivateSegment)).toBe(true)
  expect(['admin', 'a_b', '[name]'].some(isPrivateSegment)).toBe(false)
})
