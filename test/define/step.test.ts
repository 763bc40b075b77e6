import { describe, expect, it } from 'vitest'
import { assertStep, defineStep } from '../../runtime/define/step.ts'

const execute = () => {}

describe('defineStep', () => {
  it('makes a frozen step that weighs 1 where it does not say', () => {
    const step = defineStep({ name: 'a', execute })
    expect(step).toEqual({ name: 'a', weight: 1, execute })
    expect(Object.isFrozen(step)).toBe(true)
    expect(defineStep({ name: 'a', weight: 0, execute }).weight).toBe(0)
  })

  it.each(['a', 'logged_a', '1.b-C', 'x'.repeat(128)])('takes the name %s', (name) => {
    expect(defineStep({ name, execute }).name).toBe(name)
  })

  it.each(['', 'a b', 'a/b', 'ä', 'a\n', 'x'.repeat(129), 5, undefined])('refuses the name %j', (name) => {
    expect(() => defineStep({ name: name as string, execute })).toThrow(
      expect.objectContaining({
        name: 'TypeError',
        message: expect.stringContaining('"name" must be 1 to 128'),
      }),
    )
  })

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '1'])('refuses the weight %j', (weight) => {
    expect(() => defineStep({ name: 'a', weight: weight as number, execute })).toThrow(
      `"weight" must be a number from 0; got ${weight}.`,
    )
  })

  it.each(['execute', 'canSkip', 'rollback'])('refuses a %s that is no function', (name) => {
    expect(() => defineStep({ name: 'a', execute, [name]: true })).toThrow(
      `"${name}" must be a function; got boolean.`,
    )
  })

  it('refuses an object whose members are those of its class', () => {
    class Decode {
      readonly name = 'decode'
      readonly weight = 1
      readonly execute = execute
      rollback(): void {}
    }
    const refusal = '"rollback" must be a member of the step itself, and not of its class.'
    expect(() => defineStep(new Decode())).toThrow(refusal)
    expect(() => assertStep(new Decode())).toThrow(refusal)
  })
})
