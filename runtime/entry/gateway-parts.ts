import { availableParallelism } from 'node:os'
import type { Config } from '../config/config.ts'
import { makeStateDirectory } from '../config/state-directory.ts'
import { IsoplexError } from '../error/error.ts'
import { EventLoopLag } from '../observe/event-loop-lag.ts'
import type { Logger } from '../observe/log.ts'
import { visibleEnvironment } from '../replica/environment.ts'
import type { NodeFleet } from '../replica/node/fleet.ts'
import type { ResidencyControl } from '../replica/residency-control.ts'
import { makeRunDirectory, removeRunDirectory } from '../replica/run-directory.ts'
import { SchedulerGroups } from '../replica/scheduler-groups.ts'
import { Tallies } from '../replica/tallies.ts'
import { type PluginIdentity, readPluginIdentity } from '../route/prefix.ts'
import { BodyBudget } from '../server/body.ts'
import { CallDirectory } from '../server/call-directory.ts'
import type { ExchangeOptions } from '../server/exchange.ts'
import { createGuard, isLoopback, loopbackNames } from '../server/guard.ts'
import type { ModelSource } from '../server/model-access.ts'
import type { GrantOptions } from '../server/page/grant-route.ts'
import { createPageRoutes } from '../server/page/routes.ts'
import { ModelPlacement } from '../server/residency/model-placement.ts'
import { HttpServer } from '../server/server.ts'
import type { SystemRoute } from '../server/system-route.ts'
import { ServiceThread } from '../thread/service-thread.ts'
import { openDeploymentDesk } from './deployment-desk.ts'
import { DeploymentHost } from './deployment-host.ts'
import { type FunctionSource, openFunctionSource } from './function-source.ts'
import { openGatewayModels } from './gateway-models.ts'
import { openGatewaySystem } from './gateway-system.ts'
import { openGatewayTokens } from './gateway-tokens.ts'
import { type JobHost, type JobHostOptions, openJobHost } from './job-host.ts'
import { modelSettingsOf, serverAccessTokenOf } from './model-host.ts'
import { openNodeSource } from './node-source.ts'
import { openPageSource, type PageSource } from './page-source.ts'
import type { RegistryData, RegistryMethods } from './registry.ts'

/** What the parts of a gateway are made from. */
export interface PartsOptions {
  readonly config: Config
  readonly projectDirectory: string
  /** Absolute paths of the folders that the configuration names. */
  readonly functionsDirectory: string
  readonly stateDirectory: string
  /** `dev` watches the files, and takes requests without a token on a loopback address. */
  readonly mode: 'dev' | 'serve'
  /** A folder that `isoplex build` wrote: it is served as it is, and nothing is compiled. */
  readonly buildDirectory?: string
  /** The path of a unix socket on which it listens, in place of host and port. */
  readonly socketPath?: string
  readonly log: Logger
  /** Where replicas are, and what they serve. @default this machine, and the functions of the project */
  readonly fleet?: NodeFleet
}

/** What a gateway is made of. */
export interface GatewayParts {
  readonly identity: PluginIdentity
  readonly server: HttpServer
  readonly registry: ServiceThread<RegistryMethods>
  readonly source: FunctionSource
  readonly scheduler: SchedulerGroups
  /** As what the functions are served. */
  readonly deployments: DeploymentHost
  readonly exchange: ExchangeOptions
  /** The functions that functions can call. */
  readonly callees: CallDirectory
  /** What an operator loads, pins and unloads. */
  readonly placement: ModelPlacement
  /** The jobs of actions. */
  readonly jobs: JobHost
  /** What is served to pages. */
  readonly page: PageSource
  /** The metrics, the administration, the registry for others, and what pages load. */
  readonly systemRoutes: readonly SystemRoute[]
  /** What models are given to pages with. */
  readonly granting: GrantOptions
  /** Forgets what was found of models, so that the next request sees what has become of them. */
  forgetModels(): void
}

/**
 * Opens the parts, the socket first, so that a taken port is known before anything slow happens. Whatever was
 * opened is put on the stack, which closes it in the opposite order.
 *
 * @param serve is called when other deployments have become current
 */
export async function openParts(
  options: PartsOptions,
  resources: AsyncDisposableStack,
  serve: () => void,
): Promise<GatewayParts> {
  const { config, projectDirectory, stateDirectory } = options
  const { routePrefix } = config
  const identity = await readPluginIdentity(projectDirectory, { environment: process.env, routePrefix })
  const server = openServer(options)
  resources.defer(() => server.stop(0, 0))
  await makeStateDirectory(stateDirectory)
  const tokens = await openGatewayTokens(options, resources)
  const registry = openRegistryThread(options)
  resources.defer(() => registry.close())
  const environment = visibleEnvironment(process.env, config.environment)
  const source = resources.use(await openSource(options, environment))
  const runDirectory = makeRunDirectory()
  resources.defer(() => removeRunDirectory(runDirectory))
  const tallies = new Tallies()
  const scheduler = openScheduler(options, { environment, runDirectory, tallies }, resources)
  const { routePrefix: prefix } = identity
  const deployments = new DeploymentHost({ ...options, source, routePrefix: prefix, scheduler, serve })
  const models = openGatewayModels({ ...options, scheduler }, registry, resources)
  const trusting = isTrusting(options)
  const shared = { scheduler, tallies, server, routePrefix: identity.routePrefix }
  const exchange = exchangeOf(options, shared, { verifier: tokens.verifier, models: models.access })
  const callees = new CallDirectory(exchange)
  scheduler.answerCalls(callees)
  const { grants } = tokens
  const jobs = resources.use(openJobs(options, { environment, trusting, ...tokens, ...models }))
  models.keep(() => jobs.digests())
  const placement = openPlacement(options, scheduler, models.source)
  const lag = resources.use(new EventLoopLag())
  const { budget: bodies } = exchange
  const measured = { tallies, jobs: jobs.tallies, surveyJobs: jobs.survey, residency: scheduler }
  const nodes = options.fleet ? { fleet: options.fleet } : {}
  const metrics = { ...measured, ...nodes, deployments, lag, bodies }
  const { authorizer } = exchange
  const { stopping } = server
  const watched = { jobs: jobs.service, authorizer, stopping }
  const asked = { runDirectory, registry, grants, bodies, placement, metrics, trusting, deployments, server }
  const system = { ...options, ...watched, ...asked }
  const page = resources.use(await openPageSource(options, source, environment))
  const systemRoutes = [...(await openGatewaySystem(system, resources)), ...createPageRoutes(page)]
  const granting: GrantOptions = {
    authorizer: exchange.authorizer,
    registry: { findArtifact: (digest) => registry.ask('locateArtifact', digest) },
    grants,
    markedOnly: options.mode === 'serve',
  }
  const opened = { identity, server, registry, source, scheduler, deployments, exchange, callees }
  return { ...opened, placement, jobs, page, systemRoutes, granting, forgetModels: models.forget }
}

/** What answers requests for functions shares. */
function exchangeOf(
  options: PartsOptions,
  shared: Pick<ExchangeOptions, 'tallies' | 'routePrefix'> & Pick<GatewayParts, 'scheduler' | 'server'>,
  authorizer: Pick<ExchangeOptions['authorizer'], 'verifier' | 'models'>,
): ExchangeOptions {
  const { config, log } = options
  const { server, ...rest } = shared
  return {
    ...rest,
    authorizer: { ...authorizer, trustsLoopback: isTrusting(options) },
    budget: new BodyBudget(config.maxBodiesInFlightBytes),
    bodyLimits: { maxBytes: config.maxBodyBytes, timeoutMs: config.uploadTimeoutMs },
    log,
    connections: server,
    closing: () => server.closing,
  }
}

function openSource(
  options: PartsOptions,
  environment: Readonly<Record<string, string>>,
): Promise<FunctionSource> {
  const { fleet, stateDirectory, config, log } = options
  if (!fleet) return openFunctionSource({ ...options, environment })
  const { maxStoreBytes, requestTimeoutMs: patienceMs } = config
  return openNodeSource({ fleet, stateDirectory, maxStoreBytes, patienceMs, log })
}

/** Starts the thread of the registry. */
export function openRegistryThread({ config, stateDirectory }: PartsOptions): ServiceThread<RegistryMethods> {
  const data: RegistryData = {
    directory: stateDirectory,
    settings: modelSettingsOf(config),
    serverAccessToken: serverAccessTokenOf(process.env),
    logLevel: config.logLevel,
  }
  return new ServiceThread<RegistryMethods>(new URL('./registry.ts', import.meta.url), data)
}

/** Whether requests need no token: while somebody develops, and from this machine only. */
export function isTrusting({ config, mode }: Pick<PartsOptions, 'config' | 'mode'>): boolean {
  return mode === 'dev' && isLoopback(config.host)
}

function openJobs(
  options: PartsOptions,
  parts: Pick<JobHostOptions, 'environment' | 'trusting' | 'seals' | 'access'>,
): JobHost {
  const { seals, access, trusting, environment } = parts
  const deployments = openDeploymentDesk(options, { visible: environment, own: {} })
  const strict = options.mode === 'dev'
  return openJobHost({ ...options, deployments, seals, access, trusting, environment, strict })
}

function openServer(options: PartsOptions): HttpServer {
  const { host, port, maxHeaderBytes, corsOrigins, allowedHosts } = options.config
  const guarded = allowedHosts.length > 0 || isTrusting(options)
  const own = host.includes(':') ? `[${host}]` : host
  const hosts = guarded ? [...loopbackNames, own, ...allowedHosts] : null
  const { socketPath } = options
  const server = new HttpServer({
    ...(socketPath === undefined ? {} : { socketPath }),
    host,
    port,
    maxHeaderBytes,
    guard: createGuard({ hosts, origins: corsOrigins }),
  })
  try {
    server.listen()
  } catch (error) {
    throw explainListening(error, host, port)
  }
  return server
}

function explainListening(error: unknown, host: string, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const messages: Readonly<Record<string, string>> = {
    EADDRINUSE: `Port ${port} on ${host} is taken; name another with --port, or 0 for any that is free.`,
    EADDRNOTAVAIL: `${host} is no address of this machine; name another with --host.`,
    EACCES: `Port ${port} on ${host} is not for this user; name one above 1023 with --port.`,
  }
  const message = messages[String(code)]
  return message === undefined ? error : new IsoplexError('CONFIG_INVALID', message, { cause: error })
}

function openPlacement(
  { config, log }: PartsOptions,
  residency: ResidencyControl,
  source: ModelSource,
): ModelPlacement {
  const { pinnedModels, preloadModels } = config
  return new ModelPlacement({ residency, source, log, pinnedModels, preloadModels })
}

/** What a scheduler is opened with beside the configuration. */
export interface SchedulerParts {
  readonly environment: Readonly<Record<string, string>>
  readonly runDirectory: string
  readonly tallies: Tallies
}

/** Opens what brings requests to replicas, and starts these. */
export function openScheduler(
  { config, log, fleet }: PartsOptions,
  parts: SchedulerParts,
  resources: AsyncDisposableStack,
): SchedulerGroups {
  const { provider, fallback, intraOpThreads, replicas } = config
  // Left to itself the engine gives each session as many threads as the machine has cores, and these spin.
  // A node knows its own cores.
  const threadsOf = (count: number): number =>
    intraOpThreads || (fleet ? 0 : Math.max(1, Math.floor(availableParallelism() / Math.max(1, count))))
  const session = { provider, fallback, intraOpThreads: threadsOf(replicas) }
  const places = fleet ? { places: fleet } : {}
  const scheduler = new SchedulerGroups({ ...config, ...parts, ...places, session, threadsOf, log })
  resources.defer(() => scheduler.close(0))
  return scheduler
}
