import type { TSchema } from '@sinclair/typebox'
import { defaults } from './defaults.ts'
import { type ConfigKey, configKeys, configSchema } from './schema.ts'
import { variablesOf } from './source.ts'

/** One key of the configuration, told in words. */
export interface ConfigRow {
  readonly key: ConfigKey
  /** What the key is for: one sentence. */
  readonly description: string
  /** What it takes, with its bounds; the unit is in the key's name. */
  readonly expected: string
  /** The default as text; `none` where nothing is set. */
  readonly default: string
  /** The environment variables that set it, the stronger first. */
  readonly variables: readonly string[]
}

/** Describes every key, for documentation and `--help`. The same on every machine. */
export function describeConfig(): readonly ConfigRow[] {
  return configKeys.map((key) => {
    const schema: TSchema = configSchema.properties[key]
    return Object.freeze({
      key,
      description: String(schema.description),
      expected: String(schema.expected),
      default: defaultText(key),
      variables: variablesOf(key),
    })
  })
}

/** The defaults that depend on the machine, in words. */
export const machineDefaults: Partial<Readonly<Record<ConfigKey, string>>> = Object.freeze({
  replicas: 'cores, at most 4',
  maxModelBytesPerReplica: 'half of the memory, in equal parts',
  maxReplicaBytes: 'four fifths of the memory, in equal parts',
})

function defaultText(key: ConfigKey): string {
  const told = machineDefaults[key]
  if (told !== undefined) return told
  const value = defaults[key]
  return value === null || (Array.isArray(value) && value.length === 0) ? 'none' : String(value)
}
