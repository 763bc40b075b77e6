import { describe, expect, it } from 'vitest'
import { createRouteBook, guessRoute, toRouteList } from '../../runtime/client/route-book.ts'
import type { RouteList } from '../../runtime/page/route-list.ts'
import { errorOf } from './failed.ts'
import { listedRoute, listOf } from './listed.ts'

const [a, b] = [listedRoute({ name: 'a' }), listedRoute({ name: 'b' })]

/** A book of a server that lists these, one after the other, and how often it was asked. */
function bookOf(...lists: readonly (RouteList | Error)[]) {
  const left = [...lists]
  const asked = { times: 0 }
  const book = createRouteBook(async () => {
    asked.times += 1
    const next = left.length > 1 ? left.shift() : left[0]
    if (next instanceof Error) throw next
    return next ?? listOf()
  })
  return { book, asked }
}

describe('a route book', () => {
  it('asks once for what it knows then', async () => {
    const { book, asked } = bookOf(listOf(a, b))
    expect(await Promise.all([book.find('a'), book.find('b'), book.find('a')])).toEqual([a, b, a])
    expect(await book.find('b')).toEqual(b)
    expect(asked.times).toBe(1)
  })

  it('asks again for a name that it does not know', async () => {
    const { book, asked } = bookOf(listOf(a), listOf(a, b))
    await book.find('a')
    expect(await book.find('b')).toEqual(b)
    expect(asked.times).toBe(2)
  })

  it('says what there is where a name does not exist', async () => {
    const error = await errorOf(bookOf(listOf(a, b)).book.find('c'))
    expect(error).toMatchObject({
      code: 'ROUTE_NOT_FOUND',
      message: 'test-app@1.2.3 has no function "c"; it has a, b.',
    })
    expect((await errorOf(bookOf(listOf()).book.find('c'))).message).toContain('it has none.')
  })

  it('asks again after a question that failed', async () => {
    const { book } = bookOf(new Error('offline'), listOf(a))
    await expect(book.find('a')).rejects.toThrow('offline')
    expect(await book.find('a')).toEqual(a)
  })

  it('tells a function that has moved from one that is where it was', async () => {
    const moved = { ...a, path: '/v2/a' }
    const { book } = bookOf(listOf(moved, b))
    expect(await book.findMoved(a)).toEqual(moved)
    expect(await book.findMoved(b)).toBeNull()
    expect(await book.findMoved(listedRoute({ name: 'gone' }))).toBeNull()
    expect(await book.find('a')).toEqual(moved)
  })
})

describe('toRouteList', () => {
  it('takes what a server lists', () => {
    expect(toRouteList(listOf(a, b))).toEqual(listOf(a, b))
  })

  it.each([
    undefined,
    null,
    'a',
    {},
    { routes: {} },
    { routes: [null] },
    { routes: [{ ...a, name: 1 }] },
    { routes: [{ ...a, path: '@evil.example/' }] },
    { routes: [{ ...a, path: 'a' }] },
    { routes: [{ ...a, methods: [] }] },
    { routes: [{ ...a, methods: [1] }] },
  ])('refuses %j', (value) => {
    expect(() => toRouteList(value)).toThrow(TypeError)
  })
})

it.each([
  ['digits', '/digits'],
  ['index', '/'],
  ['hello/[name]', '/hello/{name}'],
  ['files/[...rest]', '/files/{rest}'],
])('guesses the route of %s', (name, path) => {
  expect(guessRoute(name)).toEqual({ path, methods: [] })
})
