import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { defineFunction } from '../../runtime/define/function.ts'
import { defineInference } from '../../runtime/define/inference.ts'
import { multiplexed } from '../../runtime/define/model.ts'
import { assertCallable, assertCount, assertOptions } from '../../runtime/define/options.ts'

/** The longest that a timer measures. */
const longestMs = 2_147_483_647

describe('assertOptions', () => {
  it('takes no options, and each at its bounds', () => {
    expect(() => assertOptions({})).not.toThrow()
    expect(() =>
      assertOptions({
        timeoutMs: longestMs,
        maxBodyBytes: 1,
        maxOngoingRequests: 1,
        batch: { maxSize: 1, maxDelayMs: 0, maxBytes: 1 },
      }),
    ).not.toThrow()
    expect(() => assertOptions({ timeoutMs: 0.5, batch: { maxSize: 1, maxDelayMs: 0.5 } })).not.toThrow()
  })

  it.each([
    ['timeoutMs', 0],
    ['timeoutMs', -1],
    ['timeoutMs', Number.NaN],
    // A timer takes these for "at once".
    ['timeoutMs', Number.POSITIVE_INFINITY],
    ['timeoutMs', longestMs + 1],
    ['timeoutMs', '1000'],
    ['maxBodyBytes', 0],
    ['maxBodyBytes', 1.5],
    ['maxBodyBytes', Number.POSITIVE_INFINITY],
    ['maxOngoingRequests', 0],
    ['maxOngoingRequests', 1.5],
    ['maxOngoingRequests', '4'],
  ])('refuses %s of %j, naming both', (name, value) => {
    const options = { [name]: value }
    expect(() => assertOptions(options)).toThrow(TypeError)
    expect(() => assertOptions(options)).toThrow(`"${name}"`)
    expect(() => assertOptions(options)).toThrow(`got ${value}.`)
  })

  it.each([
    ['maxSize', { maxSize: 0, maxDelayMs: 1 }],
    ['maxSize', { maxSize: 1.5, maxDelayMs: 1 }],
    ['maxDelayMs', { maxSize: 1, maxDelayMs: -1 }],
    ['maxDelayMs', { maxSize: 1, maxDelayMs: Number.NaN }],
    ['maxDelayMs', { maxSize: 1, maxDelayMs: Number.POSITIVE_INFINITY }],
    ['maxBytes', { maxSize: 1, maxDelayMs: 0, maxBytes: 0 }],
    ['maxBytes', { maxSize: 1, maxDelayMs: 0, maxBytes: 0.5 }],
  ])('refuses a batch whose %s is out of bounds: %j', (name, batch) => {
    expect(() => assertOptions({ batch })).toThrow(TypeError)
    expect(() => assertOptions({ batch })).toThrow(`"batch.${name}"`)
  })

  it('refuses a batch that leaves one of its bounds open', () => {
    expect(() => assertOptions({ batch: { maxSize: 4 } as never })).toThrow('"batch.maxDelayMs"')
    expect(() => assertOptions({ batch: { maxDelayMs: 4 } as never })).toThrow('"batch.maxSize"')
  })

  it('guards both kinds of definition', () => {
    expect(() => defineFunction({ timeoutMs: 0, handler: () => null })).toThrow('"timeoutMs"')
    expect(() =>
      defineInference({
        input: Type.String(),
        model: multiplexed(() => null),
        batch: { maxSize: 0, maxDelayMs: 0 },
        infer: () => [],
      }),
    ).toThrow('"batch.maxSize"')
  })
})

describe('assertCount', () => {
  it.each([1, 2 ** 53 - 1])('takes %d', (value) => {
    expect(() => assertCount('count', value)).not.toThrow()
  })

  it.each([0, -1, 0.5, 2 ** 53, Number.NaN])('refuses %d', (value) => {
    expect(() => assertCount('count', value)).toThrow(
      new TypeError(`"count" must be a whole number from 1; got ${value}.`),
    )
  })
})

describe('assertCallable', () => {
  it('says what stands where a function should', () => {
    expect(() => assertCallable('infer', null)).toThrow(
      new TypeError('"infer" must be a function; got object.'),
    )
    expect(() => assertCallable('infer', () => null)).not.toThrow()
  })
})
