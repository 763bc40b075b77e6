import { IsoplexError } from '../error/error.ts'
import { type PluginFacts, resolvePluginIdentity } from '../route/prefix.ts'

/**
 * The name that a plugin is deployed under, as `get_serve_app_name` of the Synapse SDK finds it:
 * `SYNAPSE_PLUGIN_RELEASE_CODE`, else `code@version` of `config.yaml`.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where neither is there, or one cannot be a name.
 */
export function getServeAppName(facts: PluginFacts): string {
  return findServeAppName(facts) ?? unnamed('serveAppName')
}

/**
 * The path that a deployed plugin's routes begin with, as `get_route_prefix` of the Synapse SDK finds it: a slash and
 * `SYNAPSE_PLUGIN_RELEASE_CHECKSUM`, else a slash and the MD5 of {@link getServeAppName} in hexadecimal. `routePrefix` of
 * the configuration goes before both, as it does wherever a plugin is served; `/` is none.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where none of these is there, or one cannot be a path.
 */
export function getRoutePrefix(facts: PluginFacts): string {
  return findRoutePrefix(facts) ?? unnamed('routePrefix')
}

/** As {@link getServeAppName}; `null` where nothing names it. */
export function findServeAppName(facts: PluginFacts): string | null {
  const { environment, configFile } = facts
  const hasCode = typeof configFile === 'object' && configFile !== null && 'code' in configFile
  const isNamed = Boolean(environment.SYNAPSE_PLUGIN_RELEASE_CODE) || hasCode
  return isNamed ? resolvePluginIdentity(facts).appName : null
}

/** As {@link getRoutePrefix}; `null` where nothing names it. */
export function findRoutePrefix(facts: PluginFacts): string | null {
  const { environment, routePrefix = null } = facts
  const isGiven = routePrefix !== null || Boolean(environment.SYNAPSE_PLUGIN_RELEASE_CHECKSUM)
  if (!isGiven && findServeAppName(facts) === null) return null
  return resolvePluginIdentity(facts).routePrefix || '/'
}

/**
 * Says that nothing names a plugin.
 *
 * @param option what a deployment action would name it by
 * @throws {IsoplexError} `CONFIG_INVALID`, always.
 */
export function unnamed(option: 'serveAppName' | 'routePrefix'): never {
  const message = `There is no saying what the plugin is to be deployed as: set SYNAPSE_PLUGIN_RELEASE_CODE, give the project a config.yaml with "code" and "version", or give the deployment action "${option}".`
  throw new IsoplexError('CONFIG_INVALID', message)
}
