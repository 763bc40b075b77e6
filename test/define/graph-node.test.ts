import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { defineAction } from '../../runtime/define/action.ts'
import { defineFunction } from '../../runtime/define/function.ts'
import { input } from '../../runtime/define/graph.ts'
import { edgeFactsOf } from '../../runtime/define/graph-edge.ts'
import {
  bind,
  derive,
  handle,
  type NodeFunction,
  type NodeOptions,
  when,
} from '../../runtime/define/graph-node.ts'

const double = defineFunction({ input: Type.Number(), handler: ({ input: value }) => 2 * value })
const flag = input(Type.Boolean())
const any = (value: unknown) => value as NodeFunction<number, number>

describe('bind()', () => {
  it('makes a node with its options', () => {
    const edge = bind(double, 1, { name: 'twice', retries: 2, timeoutMs: 5, fallback: undefined })
    expect(edgeFactsOf(edge)?.origin).toMatchObject({
      kind: 'node',
      name: 'twice',
      retries: 2,
      timeoutMs: 5,
      fallback: { kind: 'constant', value: undefined },
      work: { kind: 'function', definition: double, options: {} },
    })
    expect(edgeFactsOf(bind(double, 1))?.origin).toMatchObject({ name: null, fallback: null, each: null })
  })

  it('takes the model and the deployment of a handle', () => {
    const edge = bind(handle(double, { model: 'm', deployment: 'd' }), 1)
    expect(edgeFactsOf(edge)?.origin).toMatchObject({ work: { options: { model: 'm', deployment: 'd' } } })
  })

  it.each<[unknown, RegExp]>([
    [undefined, /import each other in a circle/],
    [() => 1, /takes what a define… function made; got function/],
    [null, /got object/],
    [defineAction({ execute: async () => 1 }), /a job/],
    [defineFunction({ params: Type.Object({ name: Type.String() }), handler: () => 1 }), /path parameters/],
  ])('refuses what cannot be a node: %#', (fn, message) => {
    expect(() => bind(any(fn), 1)).toThrow(message)
    expect(() => handle(any(fn), {})).toThrow(message)
  })

  it.each<NodeOptions>([
    { name: '' },
    { name: '1st' },
    { name: 'a b' },
    { name: 'a/b' },
    { name: 'input' },
    { name: 'answer' },
    { name: 'x'.repeat(65) },
    { retries: -1 },
    { retries: 0.5 },
    { timeoutMs: 0 },
    { timeoutMs: Number.NaN },
  ])('refuses options outside their bounds: %o', (options) => {
    expect(() => bind(double, 1, options)).toThrow(TypeError)
  })
})

describe('when()', () => {
  it('binds what is within a branch to it, also where a branch fails to be wired', () => {
    expect(() =>
      when(flag, () => {
        throw new RangeError('mine')
      }),
    ).toThrow(RangeError)
    expect(edgeFactsOf(bind(double, 1))?.origin.branch).toBeNull()
    const choice = edgeFactsOf(when(flag, () => bind(double, 1)))?.origin
    expect(choice).toMatchObject({
      kind: 'choice',
      taken: { holds: true },
      otherwise: { holds: false },
      values: [{ origin: { branch: { holds: true } } }, { kind: 'constant', value: undefined }],
    })
  })

  it('refuses a condition that is no edge, and branches that are no functions', () => {
    expect(() => when(true as never, () => 1)).toThrow(/must be an edge/)
    expect(() => when(flag, 5 as never)).toThrow(/must be a function/)
  })
})

it('derive() takes a function', () => {
  expect(() => derive(flag, 5 as never)).toThrow(/must be a function/)
})
