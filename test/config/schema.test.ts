import type { Static } from '@sinclair/typebox'
import { expect, expectTypeOf, it } from 'vitest'
import type { Config } from '../../runtime/config/config.ts'
import { configKeys, configSchema } from '../../runtime/config/schema.ts'

it('lists its keys in the order of the documentation', () => {
  expect(configKeys).toEqual(Object.keys(configSchema.properties))
  expect(Object.isFrozen(configKeys)).toBe(true)
})

it('explains every key', () => {
  for (const key of configKeys) {
    const schema: { description?: string; expected?: string } = configSchema.properties[key]
    expect(schema.description, key).toMatch(/^[A-Z].*\.$/)
    expect(schema.expected, key).toMatch(/^[^.]+/)
  }
})

it('has the keys and types of the interface, so that a checked value is a Config', () => {
  expectTypeOf<keyof Static<typeof configSchema>>().toEqualTypeOf<keyof Config>()
  expectTypeOf<Static<typeof configSchema>>().toExtend<Config>()
})
