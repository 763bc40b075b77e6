import { expect, it } from 'vitest'
import { startDeadline } from '../../runtime/client/deadline.ts'
import { type AnyCall, type ClientFacts, type Errand, targetOf } from '../../runtime/client/errand.ts'
import type { Method } from '../../runtime/define/options.ts'
import { issuesOf } from '../replica/refused.ts'
import { readingOf } from './reading.ts'

function errandOf(call: AnyCall, hasBody: boolean): Errand {
  const body = hasBody ? { contentType: 'application/json', bytes: new Uint8Array() } : null
  const deadline = startDeadline(undefined, undefined)
  return { ...readingOf(), client: {} as ClientFacts, name: 'a', call, body, deadline }
}

it.each<[readonly Method[], boolean, Method | undefined, Method]>([
  [['GET'], false, undefined, 'GET'],
  [['GET', 'PUT'], true, undefined, 'PUT'],
  [['DELETE', 'POST'], false, undefined, 'DELETE'],
  [['GET', 'POST'], false, 'POST', 'POST'],
  [[], true, undefined, 'POST'],
  [[], false, undefined, 'GET'],
])('of the methods %j, with a body %j and %j wished for, takes %s', (methods, hasBody, method, taken) => {
  expect(targetOf(errandOf({ method }, hasBody), { path: '/a', methods }).method).toBe(taken)
})

it('carries no input where the caller wants GET', () => {
  const target = () => targetOf(errandOf({ method: 'GET' }, true), { path: '/a', methods: ['GET', 'POST'] })
  expect(target).toThrow(new TypeError('"method" is GET, which carries no "input"; leave one of them out.'))
})

it('puts path and query together', async () => {
  const errand = errandOf({ params: { b: 'c d' }, query: { e: 1 } }, false)
  expect(targetOf(errand, { path: '/a/{b}', methods: ['GET'] }).url).toBe('/a/c%20d?e=1')
  const lost = errandOf({}, false)
  expect(await issuesOf(() => targetOf(lost, { path: '/a/{b}', methods: ['GET'] }))).toHaveLength(1)
})
