import { Value } from '@sinclair/typebox/value'
import { expect, it } from 'vitest'
import { defaults } from '../../runtime/config/defaults.ts'
import { configSchema } from '../../runtime/config/schema.ts'

it('keeps within its own schema', () => {
  expect([...Value.Errors(configSchema, defaults)]).toEqual([])
})

it('is frozen throughout', () => {
  expect(Object.isFrozen(defaults)).toBe(true)
  expect(Object.values(defaults).every((value) => Object.isFrozen(value))).toBe(true)
})
