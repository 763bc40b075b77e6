import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { IsoplexError } from '../error/error.ts'
import type { Config } from './config.ts'
import { defaults } from './defaults.ts'
import { settingsContradictions } from './deployment-contradictions.ts'
import { nearestName } from './nearest.ts'
import { isRecord, readPackageFile } from './package-file.ts'
import { configKeys, configSchema } from './schema.ts'
import {
  type ConfigEntry,
  environmentEntries,
  fileEntries,
  flagEntries,
  flagOf,
  isConfigKey,
  variablesOf,
} from './source.ts'
import { structureMistake } from './structure-mistake.ts'

/** Where a configuration comes from, besides the defaults. */
export interface ConfigSources {
  /** The value of the key `isoplex` of `package.json`. @default none */
  readonly file?: unknown
  /** Environment variables. An empty one counts as not set. @default none */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Flags by the names of the keys. Text is read as a variable is; `undefined` is not given. @default none */
  readonly flags?: Readonly<Record<string, unknown>>
}

/**
 * Reads the configuration of a project: the defaults, then the key `isoplex` of its `package.json`, then the
 * environment, then the flags.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` as {@link resolveConfig}, and where `package.json` cannot be read.
 */
export async function loadConfig(
  projectDirectory: string,
  sources: Omit<ConfigSources, 'file'> = {},
): Promise<Config> {
  const { isoplex } = await readPackageFile(projectDirectory)
  return resolveConfig({ ...sources, file: isoplex })
}

/**
 * Lays the sources over the defaults, the later over the earlier, and checks the outcome. The result is frozen.
 *
 * An unknown key is refused. A variable beginning with `ISOPLEX_` that is no key is refused where it looks like
 * a misspelt key, else left alone, since it may be somebody else's.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` with one line for each mistake: the place, what it takes, what it got.
 */
export function resolveConfig({ file = {}, environment = {}, flags = {} }: ConfigSources): Config {
  if (!isRecord(file)) throw invalid(['"isoplex" in package.json must be an object.'])
  const entries = [...fileEntries(file), ...environmentEntries(environment), ...flagEntries(flags)]
  const mistakes = [...entries.flatMap(mistakesOf), ...misspeltVariables(environment)]
  if (mistakes.length > 0) throw invalid(mistakes)

  const given = entries.map(({ key, value }) => [
    key,
    Array.isArray(value) ? Object.freeze([...value]) : value,
  ])
  const config: Config = Object.freeze({ ...defaults, ...Object.fromEntries(given) })
  const contradictions = contradictionsOf(config)
  if (contradictions.length > 0) throw invalid(contradictions)
  return config
}

function mistakesOf({ key, place, value }: ConfigEntry): readonly string[] {
  if (!isConfigKey(key)) {
    const nearest = nearestName(key, configKeys)?.name ?? ''
    const known = place.startsWith('--') ? flagOf(nearest) : `"isoplex.${nearest}"`
    return [`${place} is not known; the nearest is ${known}.`]
  }
  const schema: TSchema = configSchema.properties[key]
  if (Value.Check(schema, value)) return []
  const isStructured = schema.type === 'array' && schema.items.type === 'object' && Array.isArray(value)
  const mistake = isStructured ? structureMistake(schema, value) : null
  if (mistake !== null) return [`${place}: ${mistake}`]
  const found = schema.secret === true ? 'something else' : preview(value)
  return [`${place} must be ${schema.expected}; it is ${found}.`]
}

function misspeltVariables(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  const known = configKeys.flatMap(variablesOf)
  return Object.keys(environment)
    .filter((name) => name.startsWith('ISOPLEX_') && !known.includes(name))
    .flatMap((name) => {
      const nearest = nearestName(name, known)
      // Two edits: a slip of the keyboard. Further away it is more likely to be meant for another program.
      return nearest !== null && nearest.edits <= 2
        ? [`${name} is not known; the nearest is ${nearest.name}.`]
        : []
    })
}

function contradictionsOf(config: Config): readonly string[] {
  const contradictions: string[] = []
  if (config.maxBodyBytes > config.maxBodiesInFlightBytes) {
    contradictions.push(
      `maxBodyBytes (${config.maxBodyBytes}) must not exceed maxBodiesInFlightBytes (${config.maxBodiesInFlightBytes}); raise the latter.`,
    )
  }
  contradictions.push(...deploymentContradictions(config))
  if (config.backend === 'synapse' && config.backendUrl === null) {
    contradictions.push(
      'backend "synapse" needs a backendUrl; set it, or SYNAPSE_PLUGIN_RUN_HOST or SYNAPSE_HOST.',
    )
  }
  if (config.jobStoreUrl !== null && !URL.canParse(config.jobStoreUrl)) {
    contradictions.push(
      'jobStoreUrl is no URL; write characters such as / and @ of its password in percent encoding, and a port up to 65535.',
    )
  }
  if (config.shutdownGraceMs > config.shutdownTimeoutMs) {
    contradictions.push(
      `shutdownGraceMs (${config.shutdownGraceMs}) must not exceed shutdownTimeoutMs (${config.shutdownTimeoutMs}); raise the latter.`,
    )
  }
  return contradictions
}

function deploymentContradictions({ deployments }: Config): readonly string[] {
  const names = deployments.map(({ name }) => name)
  const twice = new Set(names.filter((name, index) => names.indexOf(name) !== index))
  return [
    ...[...twice].map(
      (name) => `deployments has several of the name "${name}"; give each a name of its own.`,
    ),
    ...deployments.flatMap((deployment) =>
      settingsContradictions(deployment, `deployment "${deployment.name}"`),
    ),
  ]
}

/** A value as it was given, but for what stands before the host of a URL: that may be a password. */
function preview(value: unknown): string {
  const text = (JSON.stringify(value) ?? String(value)).replaceAll(/:\/\/[^/\s"]*@/g, '://…@')
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

function invalid(mistakes: readonly string[]): IsoplexError<'CONFIG_INVALID'> {
  return new IsoplexError('CONFIG_INVALID', mistakes.join('\n'))
}
