import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { isRecord, readPackageFile } from '../config/package-file.ts'
import { IsoplexError } from '../error/error.ts'
import { isSystemPath } from './pattern.ts'

/** Who a plugin is: the name under which it is known, and the path that all its routes begin with. */
export interface PluginIdentity {
  /** `code@version`, as `GET /-/routes` names it. */
  readonly appName: string
  /** A path such as `/7dbcdb4c`, or the empty text for none. Never ends with a slash. */
  readonly routePrefix: string
}

/** What an identity is resolved from. */
export interface PluginFacts {
  /** Environment variables; empty ones count as not set. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What `config.yaml` holds, parsed; one without `code` is no plugin's. @default none */
  readonly configFile?: unknown
  /** What `package.json` holds, parsed. @default empty */
  readonly packageFile?: Readonly<Record<string, unknown>>
  /** The name of the project's folder, for a `package.json` without a name. */
  readonly directoryName: string
  /** The prefix of the configuration, which wins; `/` is none. @default null */
  readonly routePrefix?: string | null
}

const defaultVersion = '0.1.0'

/**
 * Resolves name and route prefix as a Synapse client does, so that it finds the plugin: the prefix is the
 * release's checksum as it stands, else the MD5 of the app name; the app name is the release's code, else
 * `code@version` of `config.yaml`. A project that is no plugin has the name of its package and no prefix.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where a value cannot be what it is meant for; names its place.
 */
export function resolvePluginIdentity(facts: PluginFacts): PluginIdentity {
  const pluginName = releaseCodeOf(facts) ?? pluginNameOf(facts.configFile)
  return Object.freeze({
    appName: pluginName ?? packageNameOf(facts),
    routePrefix: configuredPrefixOf(facts) ?? checksumPrefixOf(facts) ?? digestPrefixOf(pluginName),
  })
}

/**
 * Reads `config.yaml` and `package.json` of a project and resolves its identity.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` as {@link resolvePluginIdentity}, and where a file cannot be read.
 */
export async function readPluginIdentity(
  projectDirectory: string,
  sources: Pick<PluginFacts, 'environment' | 'routePrefix'>,
): Promise<PluginIdentity> {
  return resolvePluginIdentity(await readPluginFacts(projectDirectory, sources))
}

/**
 * Reads `config.yaml` and `package.json` of a project.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where a file cannot be read.
 */
export async function readPluginFacts(
  projectDirectory: string,
  sources: Pick<PluginFacts, 'environment' | 'routePrefix'>,
): Promise<PluginFacts> {
  const [configFile, packageFile] = await Promise.all([
    readConfigFile(projectDirectory),
    readPackageFile(projectDirectory),
  ])
  const directoryName = basename(resolve(projectDirectory))
  return { ...sources, configFile, packageFile, directoryName }
}

async function readConfigFile(projectDirectory: string): Promise<unknown> {
  const path = join(projectDirectory, 'config.yaml')
  try {
    return Bun.YAML.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    const message = `${path} cannot be read: ${(cause as Error).message}. Correct it.`
    throw new IsoplexError('CONFIG_INVALID', message, { cause })
  }
}

function releaseCodeOf({ environment }: PluginFacts): string | null {
  const code = environment.SYNAPSE_PLUGIN_RELEASE_CODE
  return code ? checkName(code, 'SYNAPSE_PLUGIN_RELEASE_CODE') : null
}

function pluginNameOf(configFile: unknown): string | null {
  if (!isRecord(configFile) || configFile.code === undefined) return null
  const code = checkName(configFile.code, 'code in config.yaml')
  const version = checkName(configFile.version ?? defaultVersion, 'version in config.yaml')
  return `${code}@${version}`
}

function packageNameOf({ packageFile = {}, directoryName }: PluginFacts): string {
  const name = checkName(packageFile.name ?? directoryName, 'name in package.json')
  return `${name}@${checkName(packageFile.version ?? defaultVersion, 'version in package.json')}`
}

function configuredPrefixOf({ routePrefix = null }: PluginFacts): string | null {
  if (routePrefix === null || routePrefix === '/') return routePrefix === null ? null : ''
  return checkPrefix(routePrefix, 'routePrefix')
}

function checksumPrefixOf({ environment }: PluginFacts): string | null {
  const checksum = environment.SYNAPSE_PLUGIN_RELEASE_CHECKSUM
  if (!checksum) return null
  if (checksum.includes('/')) throw refusal('SYNAPSE_PLUGIN_RELEASE_CHECKSUM', 'must not hold a slash')
  return checkPrefix(`/${checksum}`, 'SYNAPSE_PLUGIN_RELEASE_CHECKSUM')
}

function digestPrefixOf(pluginName: string | null): string {
  return pluginName === null ? '' : `/${createHash('md5').update(pluginName).digest('hex')}`
}

function checkPrefix(prefix: string, place: string): string {
  const segments = prefix.split('/').slice(1)
  if (!prefix.startsWith('/') || !segments.every((segment) => /^(?!\.+$)[A-Za-z0-9._~-]+$/.test(segment))) {
    throw refusal(place, 'must make path segments of letters, digits and - . _ ~')
  }
  if (isSystemPath(prefix))
    throw refusal(place, `must not begin with a path of the server's own, as ${prefix} does`)
  return prefix
}

function checkName(value: unknown, place: string): string {
  if (typeof value !== 'string') throw refusal(place, 'must be a text; put a version between quotes')
  if (value === '' || value.length > 512 || /\p{Cc}/u.test(value)) {
    throw refusal(place, 'must be a text of 1 to 512 characters without control characters')
  }
  return value
}

function refusal(place: string, reason: string): IsoplexError<'CONFIG_INVALID'> {
  return new IsoplexError('CONFIG_INVALID', `${place} ${reason}.`)
}
