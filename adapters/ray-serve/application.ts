import type { ApplicationState, DeployedApplication, DeployOrder } from '../../runtime/deploy/target.ts'
import type { ApplicationConfig, ApplicationStatus, ServeStatus } from './rest-client.ts'

/** What an application of isoplex is made by; by it they are told from others. */
const importPath = 'isoplex_shim:build'
/** Below it lie applications that nobody is to call, so that they can take and give back a route without a restart. */
const parkedPrefix = '/-isoplex'
const versionLength = 12

/** An application of isoplex as Ray Serve has it. */
export interface OwnApplication {
  readonly config: ApplicationConfig
  readonly status: ApplicationStatus
  /** The name that all of its versions have in common. */
  readonly name: string
}

/**
 * The configuration of one version, at a route that nobody calls. Its name tells all that makes a difference, so that
 * nothing that runs is ever changed in place.
 */
export function toApplication(order: DeployOrder): ApplicationConfig {
  const { name, routePrefix, bundle, replicas, resources, environment, runtimeEnvironment = {} } = order
  const remote = /^[a-z][a-z0-9+.-]*:\/\//i.test(bundle)
  const { env_vars = {}, ...others } = runtimeEnvironment
  // Ray's workers import the shim from the folder of the build; an archive becomes their working directory.
  const variables = { ...(remote ? {} : { PYTHONPATH: bundle }), ...Object(env_vars) }
  const args = {
    name,
    version: order.version,
    routePrefix,
    ...(remote ? {} : { folder: bundle }),
    replicas,
    gates: typeof replicas === 'number' ? Math.min(2, replicas) : Math.min(2, replicas.max),
    resources: { cpus: 1, ...resources },
    maxOngoingRequests: order.maxOngoingRequests ?? 100,
    maxModelsPerReplica: order.maxModelsPerReplica ?? 3,
    environment,
  }
  const runtime_env = { ...others, ...(remote ? { working_dir: bundle } : {}), env_vars: variables }
  const content = JSON.stringify([args, runtime_env])
  const digest = new Bun.CryptoHasher('sha256').update(content).digest('hex').slice(0, versionLength)
  const own = `${name.replace(/[^\w.@-]/g, '_')}-${digest}`
  return { name: own, route_prefix: parkedRoute(own), import_path: importPath, args, runtime_env }
}

/** Where an application waits that no request is routed to. */
export function parkedRoute(name: string): string {
  return `${parkedPrefix}/${name.replace(/[^\w.-]/g, '_')}`
}

/** The application with another route. */
export function routed(config: ApplicationConfig, route: string): ApplicationConfig {
  return { ...config, route_prefix: route }
}

/** Whether requests are routed to an application. */
export function isRouted({ status }: OwnApplication): boolean {
  return status.route_prefix !== null && !status.route_prefix.startsWith(`${parkedPrefix}/`)
}

/** The applications of isoplex: all, or the versions of one. */
export function ownApplications({ applications }: ServeStatus, name?: string): readonly OwnApplication[] {
  return Object.values(applications).flatMap((status) => {
    const config = status.deployed_app_config
    if (config?.import_path !== importPath) return []
    const own = String(config.args?.name ?? config.name)
    return name === undefined || name === own ? [{ config, status, name: own }] : []
  })
}

/** The configurations of all applications but those named, as they were put. */
export function othersThan(
  { applications }: ServeStatus,
  names: ReadonlySet<string>,
): readonly ApplicationConfig[] {
  return Object.values(applications).flatMap(({ deployed_app_config: config }) =>
    config && !names.has(config.name) ? [config] : [],
  )
}

/** Who has a route that the versions of a name are to have; `null` where it is free for them. */
export function ownerOfRoute(status: ServeStatus, route: string, name: string): string | null {
  const own = new Set(ownApplications(status, name).map(({ config }) => config.name))
  const [owner] = Object.entries(status.applications).find(
    ([application, { route_prefix }]) => !own.has(application) && route_prefix === (route || '/'),
  ) ?? [null]
  return owner
}

/** An application as the contract tells of it. */
export function toDeployed(application: OwnApplication): DeployedApplication {
  const { config, status } = application
  return Object.freeze({
    name: config.name,
    version: String(config.args?.version ?? ''),
    state: stateOf(status.status),
    routePrefix: isRouted(application) ? status.route_prefix : null,
    message: messageOf(status),
    data: Object.freeze({ ...status }),
  })
}

/** What Ray says of an application that is not well: of itself, and of each of its deployments. */
export function messageOf({ message, deployments }: ApplicationStatus): string {
  const parts = Object.values(deployments).map((deployment) => deployment.message)
  return [message, ...parts].filter((part) => part !== '').join('\n')
}

function stateOf(status: string): ApplicationState {
  const states: Readonly<Record<string, ApplicationState>> = {
    RUNNING: 'running',
    UNHEALTHY: 'unhealthy',
    DEPLOY_FAILED: 'failed',
    DELETING: 'leaving',
  }
  return states[status] ?? 'starting'
}
