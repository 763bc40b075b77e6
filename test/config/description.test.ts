import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { defaults } from '../../runtime/config/defaults.ts'
import { describeConfig, machineDefaults } from '../../runtime/config/description.ts'

const source = ['config.ts', 'cluster-config.ts']
  .map((file) => readFileSync(new URL(`../../runtime/config/${file}`, import.meta.url), 'utf8'))
  .join('\n')

/** The doc comment above a key of the interface, on one line. */
function documentationOf(key: string): string | undefined {
  const [, comment] = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s*readonly ${key}:`).exec(source) ?? []
  return comment
    ?.replace(/\n\s*\*/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}

function sourceTextOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sourceTextOf).join(', ')}]`
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value)
}

it('describes every key that has a default, and no other', () => {
  expect(describeConfig().map(({ key }) => key)).toEqual(Object.keys(defaults))
})

it.each(describeConfig())('documents $key in the interface with its bounds and default', (row) => {
  const expected = row.expected.charAt(0).toUpperCase() + row.expected.slice(1)
  const value = row.key in machineDefaults ? row.default : sourceTextOf(defaults[row.key])
  expect(documentationOf(row.key)).toBe(`${row.description} ${expected}. @default ${value}`)
})

it('names the variables of a key', () => {
  const variables = Object.fromEntries(describeConfig().map((row) => [row.key, row.variables]))
  expect(variables).toMatchObject({
    port: ['ISOPLEX_PORT', 'PORT'],
    host: ['ISOPLEX_HOST', 'HOST'],
    maxBodiesInFlightBytes: ['ISOPLEX_MAX_BODIES_IN_FLIGHT_BYTES'],
  })
})

it('tells defaults in words that hold on every machine', () => {
  const words = Object.fromEntries(describeConfig().map((row) => [row.key, row.default]))
  expect(words).toMatchObject({
    port: '3000',
    replicas: 'cores, at most 4',
    routePrefix: 'none',
    corsOrigins: 'none',
  })
})
