/** What a server does for the deployment actions that run on it. */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import type { DeploymentFacts } from '../define/deployment-facts.ts'
import { type RegistrationPlace, registerServeApplication } from '../deploy/registration.ts'
import { getRuntimeEnv } from '../deploy/runtime-env.ts'
import { findRoutePrefix, findServeAppName } from '../deploy/serve-name.ts'
import type { DeploymentDesk, Registrar } from '../job/crew/deployment-desk.ts'
import { readPluginFacts } from '../route/prefix.ts'
import { type DeploymentBundleOptions, prepareDeployment } from './deployment-bundle.ts'

/** What a desk is made from. */
export interface DeploymentDeskOptions extends Omit<DeploymentBundleOptions, 'environment'> {
  readonly config: Config
}

/** In whose name a desk works. */
export interface DeploymentDeskPlace {
  /** All of the environment that functions see while they are imported. */
  readonly visible: Readonly<Record<string, string>>
  /**
   * What says for which job of Synapse, and with whose access token, the jobs here are run: the environment of a process
   * that runs for one job alone, and nothing on a server, where everybody's jobs would else have its rights.
   */
  readonly own: Readonly<Record<string, string | undefined>>
}

/** Opens the desk of a project. */
export function openDeploymentDesk(
  options: DeploymentDeskOptions,
  { visible, own }: DeploymentDeskPlace,
): DeploymentDesk {
  const { projectDirectory, functionsDirectory, stateDirectory, config } = options
  const { routePrefix, rayAddress } = config
  return Object.freeze<DeploymentDesk>({
    prepareBundle: () =>
      prepareDeployment({ projectDirectory, functionsDirectory, stateDirectory, environment: visible }),
    describe: async (): Promise<DeploymentFacts> => {
      const plugin = await readPluginFacts(projectDirectory, { environment: process.env, routePrefix })
      const requirements = await readText(join(projectDirectory, 'requirements.txt'))
      return {
        serveAppName: findServeAppName(plugin),
        routePrefix: findRoutePrefix(plugin),
        routeIsOfVersion: routePrefix === null,
        runtimeEnv: getRuntimeEnv({ requirements, configFile: plugin.configFile }),
        rayAddress,
        environment: clusterVariables(config, stateDirectory),
      }
    },
    register: async (application, registrar) => {
      const place = registrationPlace(config, registrar, own)
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

/** By these a deployed plugin finds its models and keys: machines of one cluster have the state folder in common. */
function clusterVariables(
  { backend, backendUrl, backendHeaders }: Config,
  stateDirectory: string,
): Readonly<Record<string, string>> {
  return {
    ISOPLEX_STATE_DIRECTORY: stateDirectory,
    ISOPLEX_BACKEND: backend,
    ISOPLEX_BACKEND_HEADERS: backendHeaders,
    ...(backendUrl !== null && { ISOPLEX_BACKEND_URL: backendUrl }),
  }
}

function registrationPlace(
  { backendUrl, backendHeaders }: Config,
  { jobId, action, credentials }: Registrar,
  own: Readonly<Record<string, string | undefined>>,
): RegistrationPlace | null {
  const accessToken = credentials?.accessToken ?? (own.SYNAPSE_ACCESS_TOKEN || null)
  if (backendUrl === null || accessToken === null) return null
  const tenant = credentials?.accessToken ? credentials.tenant : own.SYNAPSE_TENANT || null
  return {
    backendUrl,
    backendHeaders,
    accessToken,
    tenant,
    jobId: own.SYNAPSE_JOB_ID || jobId,
    action,
  }
}
