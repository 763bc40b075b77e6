import fc from 'fast-check'
import { expect, it } from 'vitest'
import { resolveConflicts } from '../../runtime/route/conflict.ts'
import { type FunctionRoute, toFunctionRoute } from '../../runtime/route/function-route.ts'
import { createRouteMatcher } from '../../runtime/route/match.ts'
import { route as anyRoute } from './arbitrary.ts'

function resolve(...files: (string | FunctionRoute)[]): {
  accepted: string[]
  conflicts: string[][]
  messages: string[]
} {
  const routes = files.map((file) => (typeof file === 'string' ? toFunctionRoute(file) : file))
  const { accepted, conflicts } = resolveConflicts(routes)
  return {
    accepted: accepted.map(({ file }) => file),
    conflicts: conflicts.map(({ details }) => [...details.files]),
    messages: conflicts.map(({ message }) => message),
  }
}

it('accepts routes that differ', () => {
  const files = ['a.ts', 'A.ts', 'a/[b].ts', 'a/[...rest].ts', 'a/b.ts', '[x]/b.ts', 'index.ts', 'c/[d]/e.ts']
  expect(resolve(...files)).toEqual({ accepted: files, conflicts: [], messages: [] })
})

it.each([
  ['a.ts', 'a.js'],
  ['a.ts', 'a/index.ts'],
  ['users/[id].ts', 'users/[name].ts'],
  ['users/[...a].ts', 'users/[...b].ts'],
])('names both files of one route: %s and %s', (left, right) => {
  const { accepted, conflicts, messages } = resolve(left, right, 'other.ts')
  expect(accepted).toEqual(['other.ts'])
  expect(conflicts).toEqual([[left, right]])
  expect(messages[0]).toContain(`${left} and ${right} claim one route`)
})

it('sees through a route that a function names itself', () => {
  const moved = toFunctionRoute('b.ts', { route: '/a' })
  expect(resolve('a.ts', moved).conflicts).toEqual([['a.ts', 'b.ts']])
})

it('refuses two functions of one name', () => {
  const named = toFunctionRoute('b.ts', { name: 'a' })
  const { accepted, conflicts, messages } = resolve('a.ts', named, 'c.ts')
  expect([accepted, conflicts]).toEqual([['c.ts'], [['a.ts', 'b.ts']]])
  expect(messages[0]).toContain('named "a"')
  expect(resolve('index.ts', 'index/index.ts').conflicts).toHaveLength(1)
})

it('refuses two names for one place in a path', () => {
  const { accepted, conflicts, messages } = resolve('users/[id]/a.ts', 'users/[name]/b.ts', 'jobs/[name].ts')
  expect([accepted, conflicts]).toEqual([['jobs/[name].ts'], [['users/[id]/a.ts', 'users/[name]/b.ts']]])
  expect(messages[0]).toContain('last parameter of /users/[]')
})

it('tells all files of a conflict in one error of the code ROUTE_CONFLICT', () => {
  const routes = ['a.ts', 'a.js', 'a/index.ts'].map((file) => toFunctionRoute(file))
  const { conflicts } = resolveConflicts(routes)
  expect(conflicts).toHaveLength(1)
  expect(conflicts[0]).toMatchObject({
    code: 'ROUTE_CONFLICT',
    details: { files: ['a.ts', 'a.js', 'a/index.ts'] },
  })
})

it('accepts or names every route, and what it accepts it accepts again', () => {
  fc.assert(
    fc.property(fc.array(anyRoute, { maxLength: 12 }), (texts) => {
      const routes = texts.map((text, index) => toFunctionRoute(`f${index}.ts`, { route: text }))
      const { accepted, conflicts } = resolveConflicts(routes)
      const named = new Set(conflicts.flatMap(({ details }) => details.files))
      expect(accepted.map(({ file }) => file)).toEqual(
        routes.map(({ file }) => file).filter((file) => !named.has(file)),
      )
      expect(resolveConflicts(accepted)).toEqual({ accepted, conflicts: [] })
    }),
  )
})

it('leaves each accepted static route findable', () => {
  fc.assert(
    fc.property(fc.array(anyRoute, { maxLength: 12 }), (texts) => {
      const routes = texts.map((text, index) => toFunctionRoute(`f${index}.ts`, { route: text }))
      const { accepted } = resolveConflicts(routes)
      const matcher = createRouteMatcher(accepted)
      for (const route of accepted.filter(({ pattern }) => pattern.parameters.length === 0)) {
        expect(matcher(route.pattern.path)?.route).toBe(route)
      }
    }),
  )
})
