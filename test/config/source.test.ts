import { expect, it } from 'vitest'
import { configKeys } from '../../runtime/config/schema.ts'
import {
  environmentEntries,
  fileEntries,
  flagEntries,
  flagOf,
  variablesOf,
} from '../../runtime/config/source.ts'

it('names variables and flags after their keys, no two alike', () => {
  expect(variablesOf('maxBodiesInFlightBytes')).toEqual(['ISOPLEX_MAX_BODIES_IN_FLIGHT_BYTES'])
  expect(flagOf('maxBodiesInFlightBytes')).toBe('--max-bodies-in-flight-bytes')
  const platformNames = ['PORT', 'HOST', 'SYNAPSE_PLUGIN_RUN_HOST', 'SYNAPSE_HOST', 'RAY_ADDRESS']
  const names = configKeys.flatMap(variablesOf)
  expect(names.filter((name) => !name.startsWith('ISOPLEX_'))).toEqual(platformNames)
  expect(new Set(names).size).toBe(configKeys.length + platformNames.length)
  expect(new Set(configKeys.map(flagOf)).size).toBe(configKeys.length)
})

it('takes the values of a file as they are', () => {
  expect(fileEntries({ port: '1' })).toEqual([
    { key: 'port', place: '"isoplex.port" in package.json', value: '1' },
  ])
})

it('reads text by the kind of its key', () => {
  const environment = { PORT: ' 1 ', ISOPLEX_ALLOWED_HOSTS: 'a, b,,', ISOPLEX_HOST: ' ::1 ' }
  expect(environmentEntries(environment).map(({ place, value }) => [place, value])).toEqual([
    ['PORT', 1],
    ['ISOPLEX_HOST', '::1'],
    ['ISOPLEX_ALLOWED_HOSTS', ['a', 'b']],
  ])
})

it('reads true and false, and takes a flag that stands alone as true', () => {
  const values = ['true', ' false ', true, 'yes', '1', 'TRUE'].map(
    (playground) => flagEntries({ playground })[0]?.value,
  )
  expect(values).toEqual([true, false, true, 'yes', '1', 'TRUE'])
  expect(environmentEntries({ ISOPLEX_PLAYGROUND: 'true' })[0]?.value).toBe(true)
})

it('reads a list of objects as JSON, and a list of texts by its commas', () => {
  const flags = { tokenIssuers: ' [{"name":"a"}] ', inputHosts: '*' }
  expect(flagEntries(flags).map(({ value }) => value)).toEqual([[{ name: 'a' }], ['*']])
  expect(flagEntries({ tokenIssuers: 'a,b' })[0]?.value).toBe('a,b')
})

it('passes on what it cannot read, so that the message can show it', () => {
  expect(flagEntries({ port: 'abc', nope: 'x' }).map(({ value }) => value)).toEqual(['abc', 'x'])
})
