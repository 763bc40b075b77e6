import { Elysia } from 'elysia'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRouteMatcher, matchPattern } from '../../runtime/route/match.ts'
import { parseRoute, type RoutePattern } from '../../runtime/route/pattern.ts'
import { route as anyRoute } from './arbitrary.ts'

function routesOf(...texts: string[]): { readonly pattern: RoutePattern }[] {
  return texts.map((text) => ({ pattern: parseRoute(text, 'any.ts') }))
}

function match(pathname: string, ...texts: string[]): [string, Record<string, string>] | null {
  const found = createRouteMatcher(routesOf(...texts))(pathname)
  return found && [found.route.pattern.route, { ...found.parameters }]
}

describe('createRouteMatcher', () => {
  it('prefers text to parameters and parameters to the rest, from the left', () => {
    const routes = ['/[...rest]', '/a/[...rest]', '/a/[b]', '/a/b', '/[a]/b']
    expect(match('/a/b', ...routes)).toEqual(['/a/b', {}])
    expect(match('/a/c', ...routes)).toEqual(['/a/[b]', { b: 'c' }])
    expect(match('/a/c/d', ...routes)).toEqual(['/a/[...rest]', { rest: 'c/d' }])
    expect(match('/x/b', ...routes)).toEqual(['/[a]/b', { a: 'x' }])
    expect(match('/x/c', ...routes)).toEqual(['/[...rest]', { rest: 'x/c' }])
  })

  it('goes back to a freer route where the closer one does not lead on', () => {
    expect(match('/a/b/c', '/a/b', '/a/[x]/c')).toEqual(['/a/[x]/c', { x: 'b' }])
  })

  it('ignores one slash at the end, and no more', () => {
    expect(match('/a/', '/a')).not.toBeNull()
    expect(match('/a//', '/a')).toBeNull()
    expect(match('/', '/')).not.toBeNull()
    expect(match('//', '/')).toBeNull()
    expect(match('//a', '/a')).toBeNull()
  })

  it('gives parameters no empty text, and the rest possibly one', () => {
    expect(match('/a/', '/a/[b]')).toBeNull()
    expect(match('/a//', '/a/[b]')).toBeNull()
    expect(match('/a/', '/a/[...rest]')).toEqual(['/a/[...rest]', { rest: '' }])
    expect(match('/a', '/a/[...rest]')).toBeNull()
    expect(match('/a/b/', '/a/[...rest]')).toEqual(['/a/[...rest]', { rest: 'b/' }])
  })

  it('tells upper from lower case and does not decode text', () => {
    expect(match('/A', '/a')).toBeNull()
    expect(match('/%61', '/a')).toBeNull()
  })

  it('finds nothing for what is no path', () => {
    for (const pathname of ['', 'a', '*', 'http://a/a'])
      expect(match(pathname, '/a', '/[...rest]')).toBeNull()
  })

  it('keeps names of the prototype apart', () => {
    const found = createRouteMatcher(routesOf('/[constructor]'))('/x')
    expect(found?.parameters.constructor).toBe('x')
    expect(createRouteMatcher(routesOf('/a'))('/a')?.parameters.toString).toBeUndefined()
  })

  it('agrees with the router of Elysia', async () => {
    const pathname = fc
      .array(fc.constantFrom('', 'a', 'b', 'ab', 'c'), { minLength: 1, maxLength: 5 })
      .map((texts) => `/${texts.join('/')}`)
    const routes = fc.uniqueArray(anyRoute, {
      maxLength: 8,
      selector: (text) => text.replace(/\[p\d\]/g, '[]'),
    })
    await fc.assert(
      fc.asyncProperty(routes, fc.array(pathname, { maxLength: 8 }), async (texts, pathnames) => {
        const app = new Elysia()
        const matcher = createRouteMatcher(routesOf(...texts))
        for (const { pattern } of routesOf(...texts)) {
          app.get(pattern.path, ({ params }) => ({
            route: pattern.route,
            values: Object.values(params ?? {}).toSorted(),
          }))
        }
        for (const path of pathnames) {
          const response = await app.handle(new Request(`http://localhost${path}`))
          const found = matcher(path)
          const ours = found && {
            route: found.route.pattern.route,
            values: Object.values(found.parameters).toSorted(),
          }
          expect(response.ok ? await response.json() : null, `${path} among ${texts.join(' ')}`).toEqual(ours)
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('matchPattern', () => {
  it('gives back the parameters that a path was made of', () => {
    const values = fc.array(
      fc.string({ unit: 'binary', minLength: 1 }).filter((text) => text.isWellFormed()),
      {
        minLength: 5,
        maxLength: 5,
      },
    )
    fc.assert(
      fc.property(anyRoute, values, (text, given) => {
        const pattern = parseRoute(text, 'any.ts')
        const expected = pattern.segments.flatMap((segment, index) =>
          segment.kind === 'static' ? [] : [[segment.name, given[index] ?? '']],
        )
        const path = pattern.segments.map((segment, index) =>
          segment.kind === 'static' ? segment.text : encodeURIComponent(given[index] ?? ''),
        )
        expect({ ...matchPattern(pattern, `/${path.join('/')}`) }).toEqual(Object.fromEntries(expected))
      }),
    )
  })

  it.each(['%', '%z', '%zz', '%ff', '%c3%28', 'a%', '%ed%a0%80'])('refuses %j as a parameter', (text) => {
    for (const route of ['/a/[b]', '/a/[...b]']) {
      expect(() => matchPattern(parseRoute(route, 'any.ts'), `/a/${text}`)).toThrow(
        expect.objectContaining({ code: 'REQUEST_MALFORMED', message: expect.stringContaining('"b"') }),
      )
    }
  })

  it('leaves paths alone that fit no route, however they are encoded', () => {
    expect(matchPattern(parseRoute('/a/[b]', 'any.ts'), '/x/%zz')).toBeNull()
    expect(matchPattern(parseRoute('/a/[b]', 'any.ts'), '/a/%zz/c')).toBeNull()
  })
})
