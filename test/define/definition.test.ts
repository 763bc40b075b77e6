import { expect, it } from 'vitest'
import { isDefinition, settleEach } from '../../runtime/define/definition.ts'
import { defineFunction } from '../../runtime/define/function.ts'
import { callOf } from './call.ts'

it('knows a definition that another copy of isoplex made, by its brand', () => {
  const foreign = { [Symbol.for('isoplex.definition')]: true }
  expect(isDefinition(foreign)).toBe(true)
})

it('does not show its brand among the properties', () => {
  expect(JSON.stringify(defineFunction({ handler: () => null }))).toBe(
    '{"kind":"function","methods":["GET"]}',
  )
})

it.each([null, undefined, 'text', 5, {}, () => null, { kind: 'function', methods: ['GET'] }])(
  'takes %j for no definition',
  (value) => {
    expect(isDefinition(value)).toBe(false)
  },
)

it('settles no calls to no outcomes', async () => {
  expect(await settleEach([], () => 1)).toEqual([])
})

it('never rejects, whatever one call does', async () => {
  const outcomes = await settleEach([callOf({ input: 1 }), callOf({ input: 2 })], ({ input }) => {
    if (input === 1) return Promise.reject(new Error('one'))
    throw new Error('two')
  })
  expect(outcomes).toEqual([new Error('one'), new Error('two')])
})
