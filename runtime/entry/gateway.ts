/** The gateway: it puts builder, registry, scheduler and server together, and takes them down again. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { loadProjectKey } from '../auth/key.ts'
import { createTokenVerifier } from '../auth/verifier.ts'
import { type Builder, createBuilder } from '../build/build.ts'
import type { Manifest } from '../build/manifest.ts'
import { readManifest } from '../build/output.ts'
import { type FunctionsWatch, watchFunctions } from '../build/watch.ts'
import type { Config } from '../config/config.ts'
import type { ModelFolderChange } from '../model/model-folders.ts'
import { RegistryThread } from '../model/registry-thread.ts'
import type { Logger } from '../observe/log.ts'
import { toDeployment } from '../replica/deployment.ts'
import { visibleEnvironment } from '../replica/environment.ts'
import { makeRunDirectory, removeRunDirectory } from '../replica/run-directory.ts'
import { Scheduler } from '../replica/scheduler.ts'
import { type PluginIdentity, readPluginIdentity } from '../route/prefix.ts'
import { createApp } from '../server/app.ts'
import { BodyBudget } from '../server/body.ts'
import type { ExchangeOptions, ServedFunction } from '../server/exchange.ts'
import { createGuard, isLoopback, loopbackNames } from '../server/guard.ts'
import { readinessOf } from '../server/readiness.ts'
import { createResolutionCache } from '../server/resolution-cache.ts'
import { HttpServer } from '../server/server.ts'
import type { RegistryMethods } from './registry.ts'

/** What a gateway serves, and how. */
export interface GatewayOptions {
  readonly config: Config
  readonly projectDirectory: string
  /** Absolute paths of the folders that the configuration names. */
  readonly functionsDirectory: string
  readonly stateDirectory: string
  /** `dev` watches the files, and takes requests without a token on a loopback address. */
  readonly mode: 'dev' | 'serve'
  /** A folder that `isoplex build` wrote: it is served as it is, and nothing is compiled. */
  readonly buildDirectory?: string
  readonly log: Logger
  /** Hears of each manifest that goes live after the first. */
  readonly onManifest?: (manifest: Manifest) => void
  /** Hears of models that the folder `_models` has brought or changed. */
  readonly onModels?: (changes: readonly ModelFolderChange[]) => void
}

/** A running gateway. */
export interface Gateway {
  readonly url: URL
  readonly identity: PluginIdentity
  /** What is served now. */
  readonly manifest: Manifest
  /** Finishes what is at hand, then ends every child. */
  stop(): Promise<void>
}

/**
 * Starts a gateway.
 *
 * @throws {IsoplexError} `CONFIG_INVALID`, `BUILD_FAILED`, or what keeps the registry from opening.
 * @throws {Error} with code `EADDRINUSE` where the port is taken.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, projectDirectory, functionsDirectory, stateDirectory, log } = options
  await mkdir(stateDirectory, { recursive: true, mode: 0o700 })
  const resources = new AsyncDisposableStack()
  try {
    const identity = await readPluginIdentity(projectDirectory, {
      environment: process.env,
      routePrefix: config.routePrefix,
    })
    const key = await loadProjectKey(stateDirectory)
    const registry = new RegistryThread<RegistryMethods>(new URL('./registry.ts', import.meta.url), {
      stateDirectory,
      logLevel: config.logLevel,
    })
    resources.defer(() => registry.close())
    const syncModels = async (): Promise<void> => {
      const changes = await registry.ask('syncFolder', join(functionsDirectory, '_models'))
      if (changes.length > 0) options.onModels?.(changes)
    }
    const environment = visibleEnvironment(process.env, config.environment)
    const source = await openSource(options, environment, resources)
    const [manifest] = await Promise.all([source.read(), syncModels()])
    const server = listen(options)
    resources.defer(() => server.stop(0, 0))
    const scheduler = startScheduler(options, environment, resources)
    resources.defer(() => scheduler.close(0))

    const exchange: ExchangeOptions = {
      authorizer: {
        verifier: createTokenVerifier({ keys: [key], audience: config.audience }),
        resolve: createResolutionCache((modelId, tenant) => registry.ask('resolve', modelId, tenant)),
        trustsLoopback: options.mode === 'dev' && isLoopback(config.host),
      },
      scheduler,
      budget: new BodyBudget(config.maxBodiesInFlightBytes),
      bodyLimits: { maxBytes: config.maxBodyBytes, timeoutMs: config.uploadTimeoutMs },
      routePrefix: identity.routePrefix,
      log,
      keepOpen: (request) => server.keepOpen(request),
      closing: () => server.closing,
    }
    let current = manifest
    const goLive = (next: Manifest): void => {
      current = next
      const functions = next.functions.map((fn): ServedFunction => {
        return { manifest: fn, deployment: toDeployment(fn, source.bundleDirectory, config) }
      })
      const readiness = () => readinessOf({ manifest: next, scheduler, closing: server.closing, config })
      const { corsOrigins } = config
      server.use(createApp({ manifest: next, functions, identity, exchange, corsOrigins, readiness }))
      scheduler.setCurrent(new Set(functions.map(({ deployment }) => deployment.id)))
    }
    goLive(manifest)
    if (options.mode === 'dev') {
      const watch = watchProject(options, source, syncModels, (next) => {
        goLive(next)
        options.onManifest?.(next)
      })
      resources.defer(() => watch.close())
    }
    return {
      url: server.url,
      identity,
      get manifest() {
        return current
      },
      async stop() {
        await server.stop(config.shutdownGraceMs, config.shutdownTimeoutMs)
        await scheduler.close(config.shutdownTimeoutMs)
        await resources.disposeAsync()
      },
    }
  } catch (error) {
    await resources.disposeAsync()
    throw error
  }
}
