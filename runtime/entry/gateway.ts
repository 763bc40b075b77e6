/** The gateway: it puts builder, registry, scheduler and server together, and takes them down again. */
import { join } from 'node:path'
import type { Manifest } from '../build/manifest.ts'
import { writeRoutesTypes } from '../build/routes-types.ts'
import { type FunctionWatcher, watchFunctions } from '../build/watch.ts'
import { IsoplexError } from '../error/error.ts'
import type { ModelFolderChange } from '../model/model-folders.ts'
import { visibleEnvironment } from '../replica/environment.ts'
import { nodesMissing } from '../replica/failure.ts'
import { formatNodeAddress } from '../replica/node/security.ts'
import type { PluginIdentity } from '../route/prefix.ts'
import { type AppOptions, createApp } from '../server/app.ts'
import { withModelKeys } from '../server/model-key.ts'
import { createGrantRoute } from '../server/page/grant-route.ts'
import { readinessOf } from '../server/readiness.ts'
import { type GatewayParts, isTrusting, openParts, type PartsOptions } from './gateway-parts.ts'
import { type OpenNode, openNode } from './node.ts'
import { hasPlayground } from './page-source.ts'

/** What a gateway serves, and how. */
export interface GatewayOptions extends PartsOptions {
  /** Hears of each manifest that goes live, the first included. */
  readonly onManifest?: (manifest: Manifest) => void
  /** Hears of models that the folder `_models` has brought, changed or taken away. */
  readonly onModels?: (changes: readonly ModelFolderChange[]) => void
}

/**
 * A running gateway. It begins to listen before anything slow happens, so that a taken port is known at once,
 * and who calls before its first manifest is live waits for it.
 */
export class Gateway {
  readonly #options: GatewayOptions
  readonly #parts: GatewayParts
  readonly #resources: AsyncDisposableStack
  #watcher: FunctionWatcher | null = null
  #node: OpenNode | null = null
  #live = false
  #manifest: Manifest = Object.freeze({ functions: [], broken: [] })

  private constructor(options: GatewayOptions, parts: GatewayParts, resources: AsyncDisposableStack) {
    this.#options = options
    this.#parts = parts
    this.#resources = resources
  }

  /**
   * Starts a gateway.
   *
   * @throws {IsoplexError} `CONFIG_INVALID`, also where the address cannot be had and where `serve` finds no
   * function; `BUILD_FAILED` where `serve` finds a broken one; or what keeps the registry from opening.
   */
  static async start(options: GatewayOptions): Promise<Gateway> {
    const resources = new AsyncDisposableStack()
    try {
      const serve = (): void => gateway.#goLive()
      const gateway: Gateway = new Gateway(options, await openParts(options, resources, serve), resources)
      await Promise.all([gateway.#build(), gateway.#syncModels()])
      // Nobody waits for it but whoever asks whether the server is ready.
      void gateway.#parts.placement.preload()
      if (options.mode === 'dev') await gateway.#watch()
      gateway.#followSource()
      await gateway.#openNode()
      return gateway
    } catch (error) {
      await resources.disposeAsync()
      throw error
    }
  }

  /** Where it listens. */
  get url(): URL {
    return this.#parts.server.url
  }

  /** What the app is called, and where its routes begin. */
  get identity(): PluginIdentity {
    return this.#parts.identity
  }

  /** Whether requests need no token. */
  get trusting(): boolean {
    return isTrusting(this.#options)
  }

  /** Whether there is a page to try functions in. */
  get hasPlayground(): boolean {
    return hasPlayground(this.#options)
  }

  /** Where gateways of other machines have replicas here, as `host:port`; `null` where they cannot. */
  get nodeAddress(): string | null {
    return this.#node && formatNodeAddress(this.#node.address)
  }

  /** What is served now. */
  get manifest(): Manifest {
    return this.#parts.deployments.current.manifest
  }

  /** Takes no more requests, finishes those at hand, and ends every child. */
  async stop(): Promise<void> {
    const { shutdownGraceMs, shutdownTimeoutMs } = this.#options.config
    const untilMs = performance.now() + shutdownTimeoutMs
    // Requests that do not end leave some of the time to functions that have to be taken down.
    const { server, scheduler, jobs } = this.#parts
    // They go on at the next start, so that they need not be waited for.
    const stopped = Promise.all([jobs.stop(), this.#node?.close(Math.max(0, shutdownTimeoutMs))])
    const patienceMs = Math.max(0, shutdownTimeoutMs * 0.75 - shutdownGraceMs)
    await server.stop(shutdownGraceMs, patienceMs, () => scheduler.giveUp())
    await stopped
    await scheduler.close(Math.max(0, untilMs - performance.now()))
    await this.#resources.disposeAsync()
  }

  async #build(changed?: Iterable<string>): Promise<void> {
    const { source } = this.#parts
    const manifest = await source.read(changed)
    this.#watcher?.follow(source.sources)
    if (manifest === this.#manifest && this.#live) return
    this.#live = true
    if (this.#options.mode === 'serve' && !this.#options.fleet) assertServable(manifest, this.#options)
    this.#manifest = manifest
    const served = this.#parts.deployments.follow(manifest)
    const [problem] = served.problems
    if (this.#options.mode === 'serve' && problem) throw problem
    this.#goLive()
    if (this.#options.mode === 'dev') await this.#writeRoutesTypes(served.manifest)
    await this.#node?.follow(manifest, source.bundlesDirectory)
    this.#options.onManifest?.(served.manifest)
  }

  /** The types are for the editor: that they cannot be written is no reason not to serve. */
  async #writeRoutesTypes(manifest: Manifest): Promise<void> {
    try {
      await writeRoutesTypes(manifest, this.#options)
    } catch (error) {
      this.#options.log.warn('The types of the routes could not be written', { error })
    }
  }

  /** Serves what has become current: the functions of the manifest in their deployments. */
  #goLive(): void {
    const { config } = this.#options
    const { server, source, scheduler, exchange, callees, identity, placement, jobs, page, granting } =
      this.#parts
    const { manifest, functions } = this.#parts.deployments.current
    const systemRoutes = [...this.#parts.systemRoutes, createGrantRoute(this.#manifest.functions, granting)]
    const shown: AppOptions = {
      manifest,
      functions,
      identity,
      entrypoint: config.entrypoint,
      exchange,
      corsOrigins: config.corsOrigins,
      systemRoutes,
      submissions: { jobs: jobs.service, stopping: server.stopping },
      readiness: () =>
        readinessOf({
          manifest,
          scheduler,
          preloads: placement.preloads,
          closing: server.closing,
          provider: config.provider,
          nodes: this.#options.fleet?.report() ?? null,
        }),
      ...(this.#options.fleet && functions.length === 0 ? { unserved: nodesMissing } : {}),
    }
    // Where nothing can be run, somebody else runs it and wants to know which model to have ready for it.
    const app = createApp(config.replicas === 0 ? withModelKeys(shown) : shown)
    page.follow(this.#manifest.functions, source.bundlesDirectory)
    scheduler.follow(functions.map(({ deployment }) => deployment))
    callees.follow(functions)
    server.use(app)
    placement.follow(functions)
    jobs.follow(this.#manifest, source.bundlesDirectory)
  }

  /** Where the functions come from may say that they have changed: they are read one change after the other. */
  #followSource(): void {
    let reading = Promise.resolve()
    this.#parts.source.onChange?.(() => {
      reading = reading
        .then(() => this.#build())
        .catch((error: unknown) => this.#options.log.error('The functions could not be read', { error }))
    })
  }

  /** Lets gateways of other machines have replicas here, where the configuration says so. */
  async #openNode(): Promise<void> {
    const { config, fleet } = this.#options
    if (config.nodeAddress === null || config.replicas === 0 || fleet) return
    const environment = visibleEnvironment(process.env, config.environment)
    this.#node = this.#resources.use(await openNode({ ...this.#options, environment }))
    await this.#node.follow(this.#manifest, this.#parts.source.bundlesDirectory)
  }

  /** Follows the files: a change is built and goes live, whatever requests are under way. */
  async #watch(): Promise<void> {
    const { log } = this.#options
    const attempt = (what: string, task: () => Promise<void>): void => {
      task().catch((error: unknown) => log.error(what, { error }))
    }
    const watcher = await watchFunctions({
      ...this.#options,
      onChange: (files) => attempt('The functions could not be built', () => this.#build(files)),
      onModelChange: () => attempt('The models could not be registered', () => this.#syncModels()),
      onError: (error) => log.warn('A folder is not watched', { error }),
    })
    this.#resources.use(watcher)
    this.#watcher = watcher
    watcher.follow(this.#parts.source.sources)
  }

  async #syncModels(): Promise<void> {
    const folder = join(this.#options.functionsDirectory, '_models')
    const changes = await this.#parts.registry.ask('syncFolder', folder)
    if (changes.length === 0) return
    this.#parts.forgetModels()
    this.#options.onModels?.(changes)
  }
}

/** Who deploys wants to hear at once that something is missing, not by requests that meet a 404. */
function assertServable({ functions, broken }: Manifest, { functionsDirectory }: PartsOptions): void {
  const [first] = broken
  if (first) {
    const list = broken.map(({ place, reason }) => {
      return `${[place.file, place.line, place.column].filter((part) => part !== null).join(':')}: ${reason}`
    })
    const { file, line } = first.place
    throw new IsoplexError('BUILD_FAILED', `Not all functions can be served.\n${list.join('\n')}`, {
      details: { file, line },
    })
  }
  if (functions.length > 0) return
  const message = `There is no function in ${functionsDirectory}; put a file there, or name another folder with --functions-directory.`
  throw new IsoplexError('CONFIG_INVALID', message)
}
