/** What a server does for the deployment actions that run on it. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import type { DeployableBuild, DeploymentFacts } from '../define/deployment-facts.ts'
import { registerServeApplication } from '../deploy/registration.ts'
import { getRuntimeEnv } from '../deploy/runtime-env.ts'
import { findRoutePrefix, findServeAppName } from '../deploy/serve-name.ts'
import type { DeploymentDesk, Registrar } from '../job/crew/deployment-desk.ts'
import { readPluginFacts } from '../route/prefix.ts'

/** What a desk is made from. */
export interface DeploymentDeskOptions {
  readonly projectDirectory: string
  readonly config: Config
  /** The environment of the server. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /**
   * Whether what the environment says of a job of Synapse, and its access token, is about the jobs here: in a process that
   * runs for one job alone. On a server everybody's jobs would else have the rights of whoever has started it.
   */
  readonly sole: boolean
  /** Builds the plugin for a cluster. */
  readonly prepareBundle: () => Promise<DeployableBuild>
}

/** Makes the desk of a project. */
export function createDeploymentDesk(options: DeploymentDeskOptions): DeploymentDesk {
  const { projectDirectory, config, environment, prepareBundle } = options
  return Object.freeze<DeploymentDesk>({
    prepareBundle,
    describe: async (): Promise<DeploymentFacts> => {
      const plugin = await readPluginFacts(projectDirectory, { environment, routePrefix: config.routePrefix })
      const requirements = await readText(join(projectDirectory, 'requirements.txt'))
      return {
        serveAppName: findServeAppName(plugin),
        routePrefix: findRoutePrefix(plugin),
        runtimeEnv: getRuntimeEnv({ requirements, configFile: plugin.configFile }),
        rayAddress: config.rayAddress,
        environment: backendVariables(config),
      }
    },
    register: async (application, registrar) => {
      const place = registrationPlace(options, registrar)
      return place === null ? null : await registerServeApplication(application, place)
    },
  })
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/** By these a deployed plugin finds the backend: an embedded registry is on this machine alone. */
function backendVariables({ backend, backendUrl, backendHeaders }: Config): Readonly<Record<string, string>> {
  if (backend !== 'synapse' || backendUrl === null) return {}
  return {
    ISOPLEX_BACKEND: backend,
    ISOPLEX_BACKEND_URL: backendUrl,
    ISOPLEX_BACKEND_HEADERS: backendHeaders,
  }
}

function registrationPlace(
  { config, environment, sole }: DeploymentDeskOptions,
  { jobId, action, credentials }: Registrar,
): Parameters<typeof registerServeApplication>[1] | null {
  const own = sole ? environment : {}
  const accessToken = credentials?.accessToken ?? (own.SYNAPSE_ACCESS_TOKEN || null)
  const { backendUrl, backendHeaders } = config
  if (backendUrl === null || accessToken === null) return null
  return {
    backendUrl,
    backendHeaders,
    accessToken,
    tenant: credentials?.accessToken ? credentials.tenant : own.SYNAPSE_TENANT || null,
    jobId: own.SYNAPSE_JOB_ID || jobId,
    action,
  }
}
