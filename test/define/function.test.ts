import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { isDefinition } from '../../runtime/define/definition.ts'
import { defineFunction } from '../../runtime/define/function.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { callOf, patient } from './call.ts'

const handler = () => null

describe('defineFunction', () => {
  it('answers GET without an input and POST with one', () => {
    expect(defineFunction({ handler }).methods).toEqual(['GET'])
    expect(defineFunction({ input: Type.String(), handler }).methods).toEqual(['POST'])
  })

  it('takes one method or several', () => {
    expect(defineFunction({ method: 'PUT', handler }).methods).toEqual(['PUT'])
    expect(defineFunction({ method: ['GET', 'DELETE'], handler }).methods).toEqual(['GET', 'DELETE'])
  })

  it('makes a frozen definition that keeps the options and hides the handler', () => {
    const setup = () => ({ count: 0 })
    const definition = defineFunction({ name: 'a', access: 'public', timeoutMs: 5, setup, handler })
    expect(definition).toMatchObject({ kind: 'function', name: 'a', access: 'public', timeoutMs: 5, setup })
    expect(definition).not.toHaveProperty('handler')
    expect(definition).not.toHaveProperty('method')
    expect(isDefinition(definition)).toBe(true)
    expect(Object.isFrozen(definition)).toBe(true)
    expect(Object.isFrozen(definition.methods)).toBe(true)
  })

  it('does not freeze or change what it was given', () => {
    const options = { handler, method: 'GET' as const }
    defineFunction(options)
    expect(Object.isFrozen(options)).toBe(false)
    expect(options).toEqual({ handler, method: 'GET' })
  })

  it('hands each call its own context', async () => {
    const definition = defineFunction({
      query: Type.Object({ to: Type.Integer() }),
      input: Type.String(),
      handler: ({ input, query, requestId }) => `${requestId}: ${input} ${query.to}`,
    })
    const calls = [
      callOf({ requestId: 'one', input: 'a', query: { to: 1 } }),
      callOf({ requestId: 'two', input: 'b', query: { to: 2 } }),
    ]
    expect(await definition.answer(calls, patient)).toEqual(['one: a 1', 'two: b 2'])
  })

  it('answers calls side by side, in the order of the calls', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const definition = defineFunction({
      input: Type.String(),
      handler: ({ input }) => {
        if (input === 'waits') return promise
        resolve('first was waiting')
        return 'second'
      },
    })
    const calls = [callOf({ input: 'waits' }), callOf({ input: 'goes' })]
    expect(await definition.answer(calls, patient)).toEqual(['first was waiting', 'second'])
  })

  it('turns what one call throws into its own outcome', async () => {
    const thrown = new IsoplexError('REQUEST_MALFORMED', 'No.')
    const definition = defineFunction({
      input: Type.String(),
      handler: async ({ input }) => {
        if (input === 'bad') throw thrown
        return input
      },
    })
    const outcomes = await definition.answer(
      ['a', 'bad', 'b'].map((input) => callOf({ input })),
      patient,
    )
    expect(outcomes).toEqual(['a', thrown, 'b'])
    expect(outcomes[1]).toBe(thrown)
  })

  it('takes a handler that throws at once for one that rejects', async () => {
    const definition = defineFunction({
      handler: (): never => {
        throw new RangeError('at once')
      },
    })
    expect(await definition.answer([callOf()], patient)).toEqual([new RangeError('at once')])
  })

  it.each([
    ['a text', 'out of paper'],
    ['nothing', undefined],
    ['an object that cannot become a text', Object.create(null)],
    ['a symbol', Symbol('no')],
  ])('makes an error of %s that was thrown, and keeps it as the cause', async (_, thrown) => {
    const definition = defineFunction({
      handler: (): never => {
        throw thrown
      },
    })
    const [outcome, next] = await definition.answer([callOf(), callOf()], patient)
    expect(outcome).toBeInstanceOf(Error)
    expect(next).toBeInstanceOf(Error)
    expect((outcome as Error).cause).toBe(thrown)
  })

  it('passes a stream and a response on untouched', async () => {
    const response = new Response('a')
    const items = (async function* () {
      yield 1
    })()
    const definition = defineFunction({ input: Type.Any(), handler: ({ input }) => input })
    const outcomes = await definition.answer([callOf({ input: response }), callOf({ input: items })], patient)
    expect(outcomes[0]).toBe(response)
    expect(outcomes[1]).toBe(items)
  })

  it('refuses what JavaScript lets through: no handler', () => {
    expect(() => defineFunction({} as never)).toThrow(
      new TypeError('"handler" must be a function; got undefined.'),
    )
  })
})
