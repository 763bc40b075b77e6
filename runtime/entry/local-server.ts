/** A server that nobody can reach but its own process: functions run as on any other, on this machine, without a port. */
import { join } from 'node:path'
import type { CredentialSeals } from '../auth/sealed-credential.ts'
import type { Manifest } from '../build/manifest.ts'
import type { Config } from '../config/config.ts'
import { makeStateDirectory } from '../config/state-directory.ts'
import type { JobService } from '../job/service.ts'
import type { ModelFolderChange } from '../model/model-folders.ts'
import { toDeployment } from '../replica/deployment.ts'
import { apartIn, planDeployments } from '../replica/deployment-plan.ts'
import { visibleEnvironment } from '../replica/environment.ts'
import { makeRunDirectory, removeRunDirectory } from '../replica/run-directory.ts'
import { Tallies } from '../replica/tallies.ts'
import { type PluginIdentity, readPluginIdentity } from '../route/prefix.ts'
import { createApp } from '../server/app.ts'
import { BodyBudget } from '../server/body.ts'
import type { ExchangeOptions, ServedFunction } from '../server/exchange.ts'
import { identifyAsOperator } from '../server/job/onlooker.ts'
import { createJobRoutes } from '../server/job/routes.ts'
import type { ServiceThread } from '../thread/service-thread.ts'
import { openDeploymentDesk } from './deployment-desk.ts'
import { type FunctionSource, openFunctionSource } from './function-source.ts'
import { openGatewayModels } from './gateway-models.ts'
import { openRegistryThread, openScheduler, type PartsOptions } from './gateway-parts.ts'
import { type JobHost, openJobHost } from './job-host.ts'
import { localVerifier } from './local-token.ts'
import type { RegistryMethods } from './registry.ts'

/** What a local server serves. */
export interface LocalServerOptions extends Omit<PartsOptions, 'mode'> {
  /** Hears of models that the folder `_models` has brought, changed or taken away. */
  readonly onModels?: (changes: readonly ModelFolderChange[]) => void
}

/** A server in this process. */
export interface LocalServer extends AsyncDisposable {
  readonly manifest: Manifest
  /** What every URL of it begins with. */
  readonly origin: string
  /** Sends it a request, as `fetch` does. */
  fetch(url: string, init: RequestInit): Promise<Response>
}

const origin = 'http://localhost'

/**
 * Opens a server for calls of this process. Functions run in a replica, whatever becomes of them there.
 *
 * @throws {IsoplexError} `CONFIG_INVALID`, or what keeps the registry from opening.
 */
export async function openLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  const resources = new AsyncDisposableStack()
  try {
    const server = await openIn(resources, options)
    return { ...server, [Symbol.asyncDispose]: () => resources.disposeAsync() }
  } catch (error) {
    await resources.disposeAsync()
    throw error
  }
}

async function openIn(
  resources: AsyncDisposableStack,
  given: LocalServerOptions,
): Promise<Omit<LocalServer, typeof Symbol.asyncDispose>> {
  const options: PartsOptions = { ...given, mode: 'dev', config: { ...given.config, replicas: 1 } }
  const { config, projectDirectory, functionsDirectory, log } = options
  const { routePrefix } = config
  const identity = await readPluginIdentity(projectDirectory, { environment: process.env, routePrefix })
  const { registry, source, exchange, jobs } = await openLocalParts(options, identity, resources)
  const [manifest, changes] = await Promise.all([
    source.read(),
    registry.ask('syncFolder', join(functionsDirectory, '_models')),
  ])
  given.onModels?.(changes)
  const functions = servedHere(manifest, source.bundlesDirectory, config)
  const served = { ...manifest, functions: functions.map((fn) => fn.manifest) }
  const stopping = new AbortController()
  resources.defer(() => stopping.abort())
  // The store is for those who submit jobs, and most calls are none.
  const submit: JobService['submit'] = (request) => {
    jobs.follow(manifest, source.bundlesDirectory)
    return jobs.service.submit(request)
  }
  const submissions = { jobs: { ...jobs.service, submit }, stopping: stopping.signal }
  const app = createApp({
    manifest: served,
    functions,
    identity,
    entrypoint: config.entrypoint,
    exchange,
    corsOrigins: [],
    readiness: () => ({ ready: true }),
    systemRoutes: createJobRoutes({ ...submissions, identify: identifyAsOperator, log }),
    submissions,
  })
  return { manifest: served, origin, fetch: async (url, init) => app.fetch(new Request(url, init)) }
}

/** Every deployment, in the one replica that there is. */
function servedHere({ functions }: Manifest, bundles: string, config: Config): readonly ServedFunction[] {
  const { deployments } = planDeployments(functions, { configured: config.deployments })
  const planned = deployments.map(({ settings: { replicas: _, ...settings }, ...rest }) => ({
    ...rest,
    settings,
  }))
  const apart = apartIn(planned)
  return planned.map(({ manifest, fn, mount, settings }) => {
    return {
      manifest,
      mount,
      deployment: toDeployment(fn, bundles, config, { name: manifest.name, settings, apart }),
    }
  })
}

interface LocalParts {
  readonly registry: ServiceThread<RegistryMethods>
  readonly source: FunctionSource
  readonly exchange: ExchangeOptions
  readonly jobs: JobHost
}

async function openLocalParts(
  options: PartsOptions,
  { routePrefix }: PluginIdentity,
  resources: AsyncDisposableStack,
): Promise<LocalParts> {
  const { config, stateDirectory, log } = options
  await makeStateDirectory(stateDirectory)
  const registry = openRegistryThread(options)
  resources.defer(() => registry.close())
  const environment = visibleEnvironment(process.env, config.environment)
  const source = resources.use(await openFunctionSource({ ...options, environment }))
  const runDirectory = makeRunDirectory()
  resources.defer(() => removeRunDirectory(runDirectory))
  const tallies = new Tallies()
  const scheduler = openScheduler(options, { environment, runDirectory, tallies }, resources)
  const models = openGatewayModels({ ...options, scheduler }, registry, resources)
  const exchange: ExchangeOptions = {
    authorizer: { verifier: localVerifier, models: models.access, trustsLoopback: true },
    scheduler,
    budget: new BodyBudget(config.maxBodiesInFlightBytes),
    bodyLimits: { maxBytes: config.maxBodyBytes, timeoutMs: config.uploadTimeoutMs },
    routePrefix,
    log,
    tallies,
    connections: unconnected,
    closing: () => false,
  }
  // Jobs of this process are nobody else's: their store goes with it, wherever those of the project are kept.
  const jobConfig = { ...config, jobStoreUrl: null, jobFilesUrl: null, maxConcurrentJobs: 1 }
  const jobs = resources.use(
    openJobHost({
      config: jobConfig,
      deployments: openDeploymentDesk(options, { visible: environment, own: process.env }),
      stateDirectory: runDirectory,
      seals: noSeals,
      environment,
      strict: true,
      access: models.access,
      trusting: true,
      log,
    }),
  )
  models.keep(() => jobs.digests())
  return { registry, source, exchange, jobs }
}

/** Jobs of this process come without a token. */
const noSeals: CredentialSeals = Object.freeze({
  seal() {
    throw new TypeError('A local job takes no token.')
  },
  open() {
    throw new TypeError('A local job was submitted without a token.')
  },
})

/** There is no connection that could be closed. */
const unconnected: ExchangeOptions['connections'] = Object.freeze({
  hold: () => undefined,
  release: () => undefined,
})
