import { IsoplexError } from '../error/error.ts'
import { type PluginFacts, resolvePluginIdentity } from '../route/prefix.ts'

/**
 * The name that a plugin is deployed under, as `get_serve_app_name` of the Synapse SDK finds it:
 * `SYNAPSE_PLUGIN_RELEASE_CODE`, else `code@version` of `config.yaml`.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where neither is there, or one cannot be a name.
 */
export function getServeAppName(facts: PluginFacts): string {
  if (isNamed(facts)) return resolvePluginIdentity(facts).appName
  const message =
    'There is no saying what the plugin is to be deployed as: set SYNAPSE_PLUGIN_RELEASE_CODE, give the project a config.yaml with "code" and "version", or name it by "serveAppName" of the deployment action.'
  throw new IsoplexError('CONFIG_INVALID', message)
}

/**
 * The path that a deployed plugin's routes begin with, as `get_route_prefix` of the Synapse SDK finds it: a slash and
 * `SYNAPSE_PLUGIN_RELEASE_CHECKSUM`, else a slash and the MD5 of {@link getServeAppName} in hexadecimal. `routePrefix` of
 * the configuration goes before both, as it does wherever a plugin is served; `/` is none.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where none of these is there, or one cannot be a path.
 */
export function getRoutePrefix(facts: PluginFacts): string {
  const { environment, routePrefix = null } = facts
  if (routePrefix === null && !environment.SYNAPSE_PLUGIN_RELEASE_CHECKSUM) getServeAppName(facts)
  return resolvePluginIdentity(facts).routePrefix || '/'
}

function isNamed({ environment, configFile }: PluginFacts): boolean {
  if (environment.SYNAPSE_PLUGIN_RELEASE_CODE) return true
  return typeof configFile === 'object' && configFile !== null && 'code' in configFile
}
