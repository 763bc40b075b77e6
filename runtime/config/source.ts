import type { TSchema } from '@sinclair/typebox'
import { type ConfigKey, configKeys, configSchema } from './schema.ts'

/** One value as a source gives it, and how people know the place: a file's key, a variable or a flag. */
export interface ConfigEntry {
  readonly key: string
  readonly place: string
  readonly value: unknown
}

/** Variables that are read where isoplex's own is not set, since platforms set them. */
const platformVariables: Partial<Record<ConfigKey, readonly string[]>> = Object.freeze({
  port: ['PORT'],
  host: ['HOST'],
  backendUrl: ['SYNAPSE_PLUGIN_RUN_HOST', 'SYNAPSE_HOST'],
  rayAddress: ['RAY_ADDRESS'],
})

/** The environment variables of a key, the stronger first: `ISOPLEX_MAX_BODY_BYTES` for `maxBodyBytes`. */
export function variablesOf(key: ConfigKey): readonly string[] {
  const own = `ISOPLEX_${key.replace(/[A-Z]/g, '_$&').toUpperCase()}`
  return [own, ...(platformVariables[key] ?? [])]
}

/** The flag of a key: `--max-body-bytes` for `maxBodyBytes`. */
export function flagOf(key: string): string {
  return `--${key.replace(/[A-Z]/g, '-$&').toLowerCase()}`
}

/** The entries of the key `isoplex` of a `package.json`. Values are taken as they are. */
export function fileEntries(section: Readonly<Record<string, unknown>>): readonly ConfigEntry[] {
  return Object.entries(section).map(([key, value]) => ({
    key,
    place: `"isoplex.${key}" in package.json`,
    value,
  }))
}

/**
 * The entries of the environment. An empty variable counts as not set, and so does an address in a port's
 * place: Kubernetes puts `ISOPLEX_PORT=tcp://…` into every pod beside a service that is named isoplex.
 */
export function environmentEntries(
  environment: Readonly<Record<string, string | undefined>>,
): readonly ConfigEntry[] {
  return configKeys.flatMap((key) => {
    const place = variablesOf(key).find((variable) => isSet(environment[variable]))
    return place === undefined ? [] : [{ key, place, value: parseText(key, environment[place]) }]
  })
}

/** The entries of flags, named as the keys. `undefined` counts as not given; text is read as in a variable. */
export function flagEntries(flags: Readonly<Record<string, unknown>>): readonly ConfigEntry[] {
  return Object.entries(flags)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ({ key, place: flagOf(key), value: parseText(key, value) }))
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && !value.startsWith('tcp://')
}

function parseText(key: string, value: unknown): unknown {
  if (typeof value !== 'string' || !isConfigKey(key)) return value
  const text = value.trim()
  const schema: TSchema = configSchema.properties[key]
  if (schema.type === 'integer') return /^-?\d+$/.test(text) ? Number(text) : value
  if (schema.type === 'boolean') return text === 'true' || (text === 'false' ? false : value)
  if (schema.type !== 'array') return text
  return schema.items.type === 'string' ? splitList(text) : parseJson(text)
}

function splitList(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** What is no JSON stays text, which the schema then refuses. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Whether a name is a configuration key. */
export function isConfigKey(name: string): name is ConfigKey {
  return Object.hasOwn(configSchema.properties, name)
}
