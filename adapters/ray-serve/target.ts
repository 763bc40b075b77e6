import type {
  ClusterFacts,
  DeployedApplication,
  DeploymentTarget,
  DeployOrder,
  DeployProgress,
} from '../../runtime/deploy/target.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import {
  isRouted,
  messageOf,
  type OwnApplication,
  othersThan,
  ownApplications,
  ownerOfRoute,
  parkedRoute,
  routed,
  toApplication,
  toDeployed,
} from './application.ts'
import { missingResources, toResources, waitsForResources } from './resources.ts'
import { type ApplicationConfig, RayRestClient, type ServeStatus } from './rest-client.ts'

/** How a target finds its cluster. */
export interface RayServeOptions {
  /** The address of the dashboard, such as `http://127.0.0.1:8265`. */
  readonly address: string
  /** Time in which a version must run. @default 600 000 */
  readonly startTimeoutMs?: number
}

/** Versions of Ray that isoplex is tried with. */
const knownVersions = ['2.58']
const pollMs = 250
const tailLength = 4_000

/**
 * Makes the target of a Ray cluster. Versions are brought up side by side and exchange their routes in one step: the
 * one before stays, without a route, until the next is deployed. Two who deploy at once to one cluster can lose each
 * other's applications, since Ray takes all of them in one order and knows no condition on it: it is looked after once
 * more whether the own one is there.
 */
export function createRayServeTarget(options: RayServeOptions): DeploymentTarget {
  return new RayServeTarget(options)
}

class RayServeTarget implements DeploymentTarget {
  readonly #client: RayRestClient
  readonly #startTimeoutMs: number

  constructor({ address, startTimeoutMs = 600_000 }: RayServeOptions) {
    this.#client = new RayRestClient(address)
    this.#startTimeoutMs = startTimeoutMs
  }

  async connect(signal?: AbortSignal): Promise<ClusterFacts> {
    const version = await this.#client.version(signal)
    if (!knownVersions.some((known) => version === known || version.startsWith(`${known}.`))) {
      const message = `The cluster runs Ray ${version}; isoplex is made for Ray ${knownVersions.join(', ')}. Install what adapters/ray-serve/requirements.txt names.`
      throw new IsoplexError('CLUSTER_UNFIT', message)
    }
    const [nodes, usage] = await Promise.all([this.#client.nodes(signal), this.#client.usage(signal)])
    return Object.freeze({ version, resources: toResources(nodes, usage) })
  }

  async deploy(
    order: DeployOrder,
    progress: DeployProgress,
    signal?: AbortSignal,
  ): Promise<DeployedApplication> {
    progress(0, 1, 'initialize', 'Looking at the cluster')
    await this.connect(signal)
    const config = toApplication(order)
    const status = await this.#client.status(signal)
    const owner = ownerOfRoute(status, order.routePrefix, order.name)
    if (owner !== null) throw routeTaken(order.routePrefix, owner)
    const missing = missingResources(order, await this.#client.nodes(signal))
    if (missing.length > 0) throw resourcesMissing(missing)
    progress(1, 1, 'initialize', 'The cluster is fit')
    const running = ownApplications(status, order.name).find(
      (own) => own.config.name === config.name && own.status.status === 'RUNNING',
    )
    if (!running) await this.#bringUp(config, order, progress, signal)
    const deployed = await this.#route(config.name, order.name, order.routePrefix, signal)
    progress(100, 100, 'deploy', `${config.name} answers at ${order.routePrefix || '/'}`)
    return deployed
  }

  async rollback(name: string, signal?: AbortSignal): Promise<DeployedApplication> {
    const own = ownApplications(await this.#client.status(signal), name)
    const current = own.find(isRouted)
    const before = own.find((each) => !isRouted(each) && each.status.status === 'RUNNING')
    if (!current || !before) {
      const message = `There is no version of "${name}" before the one that serves; deploy the wanted one anew.`
      throw new IsoplexError('DEPLOY_FAILED', message, { details: { log: '' } })
    }
    return await this.#route(before.config.name, name, current.status.route_prefix ?? '/', signal)
  }

  async list(name?: string, signal?: AbortSignal): Promise<readonly DeployedApplication[]> {
    return ownApplications(await this.#client.status(signal), name).map(toDeployed)
  }

  async discard(name: string, version: string, signal?: AbortSignal): Promise<void> {
    const status = await this.#client.status(signal)
    const own = ownApplications(status, name).filter((each) => !isRouted(each))
    const names = new Set(
      own.filter((each) => toDeployed(each).version === version).map(({ config }) => config.name),
    )
    if (names.size > 0) await this.#put(status, othersThan(status, names), signal)
  }

  async remove(name: string, signal?: AbortSignal): Promise<void> {
    const status = await this.#client.status(signal)
    const names = new Set(ownApplications(status, name).map(({ config }) => config.name))
    if (names.size === 0) return
    await this.#put(status, othersThan(status, names), signal)
  }

  /** Beside the version that serves; what was kept for going back makes room for it. */
  async #bringUp(
    config: ApplicationConfig,
    { name }: DeployOrder,
    progress: DeployProgress,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const status = await this.#client.status(signal)
    const spent = ownApplications(status, name).filter((own) => !isRouted(own))
    const leaving = new Set([config.name, ...spent.map((own) => own.config.name)])
    if (status.applications[config.name]) {
      // What has failed under this name would not be tried again.
      await this.#put(status, othersThan(status, leaving), signal)
      await this.#until(signal, ({ applications }) => applications[config.name] === undefined)
    }
    await this.#put(status, [...othersThan(status, leaving), config], signal)
    try {
      await this.#untilRunning(config.name, progress, signal)
    } catch (error) {
      await this.#withdraw(config.name)
      throw error
    }
  }

  async #untilRunning(
    name: string,
    progress: DeployProgress,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const untilMs = performance.now() + this.#startTimeoutMs
    await this.#until(signal, ({ applications }) => {
      const application = applications[name]
      if (!application) return false
      const deployments = Object.values(application.deployments)
      const ready = deployments.filter(({ status }) => status === 'HEALTHY').length
      progress(
        Math.round((90 * ready) / Math.max(2, deployments.length)),
        100,
        'deploy',
        `${name} is starting`,
      )
      if (application.status === 'RUNNING') return true
      const message = messageOf(application)
      const waiting = waitsForResources(message)
      if (waiting !== null) throw resourcesMissing([waiting])
      if (application.status === 'DEPLOY_FAILED' || application.status === 'UNHEALTHY')
        throw failed(name, message)
      if (performance.now() > untilMs) throw failed(name, `It did not run in time.\n${message}`)
      return false
    })
  }

  /** Gives a version the route in one order, in which the one that had it loses it. */
  async #route(
    chosen: string,
    name: string,
    route: string,
    signal: AbortSignal | undefined,
  ): Promise<DeployedApplication> {
    const path = route || '/'
    const status = await this.#client.status(signal)
    const configs = othersThan(status, new Set()).map((config) => {
      if (config.name === chosen) return routed(config, path)
      const other = ownApplications(status, name).some((own) => own.config.name === config.name)
      return other ? routed(config, parkedRoute(config.name)) : config
    })
    await this.#put(status, configs, signal)
    const find = (current: ServeStatus): OwnApplication | undefined =>
      ownApplications(current, name).find(({ config }) => config.name === chosen)
    const after = await this.#until(signal, (current) => {
      const own = find(current)
      if (!own) throw failed(chosen, 'Somebody else has taken it off the cluster; deploy once more.')
      return own.status.route_prefix === path && own.status.status === 'RUNNING'
    })
    const own = find(after)
    if (!own) throw failed(chosen, 'It has left the cluster.')
    return toDeployed(own)
  }

  /** Of a version that did not come up nothing is to be left, whatever else goes wrong. */
  async #withdraw(name: string): Promise<void> {
    try {
      const status = await this.#client.status()
      await this.#put(status, othersThan(status, new Set([name])), undefined)
    } catch {
      // The reason why it did not come up is worth more than why it cannot be taken away.
    }
  }

  async #put(
    { proxy_location, http_options }: ServeStatus,
    applications: readonly ApplicationConfig[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    // They hold from the first order on: to leave them out would ask for others.
    const kept = { ...(proxy_location ? { proxy_location } : {}), ...(http_options ? { http_options } : {}) }
    await this.#client.put({ ...kept, applications }, signal)
  }

  async #until(
    signal: AbortSignal | undefined,
    holds: (status: ServeStatus) => boolean,
  ): Promise<ServeStatus> {
    for (;;) {
      const status = await this.#client.status(signal)
      if (holds(status)) return status
      await Bun.sleep(pollMs)
    }
  }
}

function failed(name: string, message: string): IsoplexError<'DEPLOY_FAILED'> {
  const log = message.slice(-tailLength).trim()
  return new IsoplexError('DEPLOY_FAILED', `"${name}" did not come up and gets no requests.\n${log}`, {
    details: { log },
  })
}

function routeTaken(route: string, owner: string): IsoplexError<'ROUTE_TAKEN'> {
  const message = `The route ${route || '/'} is that of the application "${owner}"; name another with --route-prefix, or take that one away.`
  return new IsoplexError('ROUTE_TAKEN', message, { details: { route: route || '/', owner } })
}

function resourcesMissing(resources: readonly string[]): IsoplexError<'RESOURCES_MISSING'> {
  const message = `The cluster has no place for it: ${resources.join('; ')}.`
  return new IsoplexError('RESOURCES_MISSING', message, { details: { resources } })
}
