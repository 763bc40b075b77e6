import type { ActionContext } from '../define/action-context.ts'
import type { DeploymentProgram } from '../define/deployment.ts'
import type {
  DeployedServe,
  DeploymentFields,
  DeploymentMembers,
  DeployOptions,
  RegisterOptions,
} from '../define/deployment-context.ts'
import type {
  DeployableBuild,
  DeploymentFacts,
  ServeApplication,
  ServeApplicationId,
} from '../define/deployment-facts.ts'
import { functionNameOf } from '../define/function-name.ts'
import type { JsonRecord } from '../define/step.ts'
import { IsoplexError } from '../error/error.ts'
import { getRayActorOptions, toDeployedResources } from './actor-options.ts'
import { toDashboardAddress } from './dashboard-address.ts'
import { readDeploymentParams } from './deployment-params.ts'
import { unnamed } from './serve-name.ts'
import type {
  ClusterFacts,
  DeployedApplication,
  DeploymentTarget,
  DeployOrder,
  DeployProgress,
  DeployStage,
} from './target.ts'

/** What the process of a deployment action asks its server for. */
export interface DeploymentHost {
  prepareBundle(): Promise<DeployableBuild>
  registerApplication(application: ServeApplication): Promise<ServeApplicationId | null>
}

/** What a deployment is done with. */
export interface DeploymentWorkOptions {
  readonly program: DeploymentProgram
  readonly params: unknown
  readonly facts: DeploymentFacts
  readonly host: DeploymentHost
  /** Opens the cluster whose REST API has that address. */
  readonly openTarget: (address: string) => DeploymentTarget
}

/** For what members are made: they read the fields of the context when they are called, and set them. */
export interface DeploymentPlace {
  readonly context: Pick<ActionContext, 'signal' | 'setProgress' | 'logMessage'> & DeploymentFields
  /** The categories of progress that there are; `null` in a step, whose progress is all its own. */
  readonly categories: ReadonlySet<string> | null
}

/** The fields of a deployment before it has begun. @throws {IsoplexError} `CONFIG_INVALID` where something is not named. */
export function startDeploymentFields(options: DeploymentWorkOptions): DeploymentFields {
  const work = new DeploymentWork(options)
  return {
    rayAddress: options.facts.rayAddress,
    serveAppName: work.serveAppName,
    serveAppId: null,
    routePrefix: work.routePrefix,
    rayActorOptions: work.rayActorOptions,
    deployed: false,
    registrationError: null,
  }
}

/** What one deployment action does, in its process. */
export class DeploymentWork {
  readonly #options: DeploymentWorkOptions
  readonly #targets = new Map<string, Promise<DeploymentTarget>>()
  #facts: ClusterFacts | null = null
  /** The application that served before this process deployed one; `undefined` while it has not. */
  #before: string | null | undefined = undefined

  constructor(options: DeploymentWorkOptions) {
    this.#options = options
  }

  /** What the plugin is deployed as. @throws {IsoplexError} `CONFIG_INVALID` */
  get serveAppName(): string {
    const { program, facts } = this.#options
    return program.serveAppName ?? facts.serveAppName ?? unnamed('serveAppName')
  }

  /** Where it answers. @throws {IsoplexError} `CONFIG_INVALID` */
  get routePrefix(): string {
    const { program, facts } = this.#options
    return program.routePrefix ?? facts.routePrefix ?? unnamed('routePrefix')
  }

  /** What Ray is told of each replica. */
  get rayActorOptions(): JsonRecord {
    return getRayActorOptions(this.#options.params, this.#options.facts.runtimeEnv)
  }

  /** The members of a context. */
  membersOf(place: DeploymentPlace): DeploymentMembers {
    return {
      rayInit: async ({ address } = {}) => {
        if (address !== undefined) place.context.rayAddress = address
        await this.#connect(place)
        tell(place, 1, 1, 'initialize')
        const { version, resources } = this.#facts ?? { version: '', resources: {} }
        return { version, resources }
      },
      deploy: (wishes) => this.#deploy(place, wishes),
      undeploy: () => this.#undeploy(place),
      registerServeApplication: (wishes) => this.#register(place, wishes),
      getServeAppName: () => this.serveAppName,
      getRoutePrefix: () => this.routePrefix,
      getRayActorOptions: () => this.rayActorOptions,
      getRuntimeEnv: () => this.#options.facts.runtimeEnv,
    }
  }

  /** The cluster of the context, once it is known to be there. */
  async #connect({ context }: DeploymentPlace): Promise<DeploymentTarget> {
    const address = toDashboardAddress(context.rayAddress)
    const known = this.#targets.get(address)
    if (known) return await known
    const target = this.#options.openTarget(address)
    const connecting = target.connect(context.signal).then((facts) => {
      this.#facts = facts
      return target
    })
    this.#targets.set(address, connecting)
    // A cluster that was away may be back at the next call.
    connecting.catch(() => this.#targets.delete(address))
    return await connecting
  }

  async #deploy(place: DeploymentPlace, wishes: DeployOptions = {}): Promise<DeployedServe> {
    const { context } = place
    const target = await this.#connect(place)
    context.logMessage('Building the plugin for the cluster.')
    const build = await this.#options.host.prepareBundle()
    context.signal.throwIfAborted()
    const order = this.#orderOf(context, build, wishes)
    const before = (await target.list(order.name, context.signal)).find(isRouted)?.name ?? null
    if (this.#before === undefined) this.#before = before
    const application = await target.deploy(order, progressOf(place), context.signal)
    context.deployed = true
    tell(place, 1, 1, 'deploy')
    const { name, state, routePrefix, message } = application
    return { name, state, routePrefix, message }
  }

  #orderOf(context: DeploymentFields, build: DeployableBuild, wishes: DeployOptions): DeployOrder {
    const { program, params, facts } = this.#options
    const { serveAppName, routePrefix, rayActorOptions } = context
    const { replicas = 1, ...limits } = { ...readDeploymentParams(params), ...given(wishes) }
    const { runtime_env: runtimeEnvironment } = rayActorOptions
    return {
      identity: { appName: serveAppName, routePrefix: routePrefix === '/' ? '' : routePrefix },
      name: this.#nameOf(context),
      ...build,
      routePrefix,
      replicas,
      ...limits,
      resources: toDeployedResources(rayActorOptions),
      environment: {
        ...facts.environment,
        ISOPLEX_ENTRYPOINT: entrypointOf(program),
        ...program.environment,
        ...wishes.environment,
      },
      ...(isRecord(runtimeEnvironment) && { runtimeEnvironment }),
    }
  }

  async #undeploy(place: DeploymentPlace): Promise<void> {
    const { context } = place
    const name = this.#nameOf(context)
    const target = await this.#connect(place)
    const applications = await target.list(name)
    if (applications.length === 0) return
    const { version } = await this.#options.host.prepareBundle()
    const serving = applications.find(isRouted)
    // What an earlier process of this job has deployed is known by its version.
    const isOwn = this.#before === undefined ? serving?.version === version : serving?.name !== this.#before
    if (!serving || !isOwn) await target.discard(name, version)
    else if (applications.some((other) => other !== serving && other.state === 'running')) {
      await target.rollback(name)
    } else await target.remove(name)
    context.deployed = false
  }

  /**
   * What the application is called on the cluster. Where its route stands for one version of the plugin, versions are
   * applications of their own, side by side; elsewhere each takes the place of the one before.
   */
  #nameOf({ serveAppName }: DeploymentFields): string {
    const { program, facts } = this.#options
    const isOfVersion = program.routePrefix === null && facts.routeIsOfVersion
    return isOfVersion ? serveAppName : serveAppName.replace(/@[^@/]*$/, '')
  }

  async #register(
    place: DeploymentPlace,
    { required = false, pluginRelease }: RegisterOptions = {},
  ): Promise<ServeApplicationId | null> {
    const { context } = place
    try {
      const application = await this.#describe(place)
      const { host } = this.#options
      const id = await host.registerApplication({ ...application, pluginRelease: pluginRelease ?? null })
      context.serveAppId = id
      context.registrationError = null
      tell(place, 1, 1, 'register')
      if (id === null) context.logMessage('There is no backend to register at.')
      return id
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      context.registrationError = reason
      if (required || context.signal.aborted) throw error
      context.logMessage(`The application is deployed, but not registered: ${reason}`, 'warning')
      return null
    }
  }

  /** What the cluster tells of the version that serves. */
  async #describe(place: DeploymentPlace): Promise<Omit<ServeApplication, 'pluginRelease'>> {
    const { context } = place
    const { serveAppName: name, signal } = context
    const target = await this.#connect(place)
    const serving = (await target.list(this.#nameOf(context), signal)).find(isRouted)
    if (!serving) {
      throw new IsoplexError(
        'DEPLOY_FAILED',
        `Nothing is deployed as "${name}"; deploy it before it is registered.`,
        {
          details: { log: '' },
        },
      )
    }
    const { state, data } = serving
    const { replicas = 1 } = readDeploymentParams(this.#options.params)
    const { params } = this.#options
    return {
      name,
      status: typeof data.status === 'string' ? data.status : state.toUpperCase(),
      params: isRecord(params) ? params : {},
      replicas: typeof replicas === 'number' ? replicas : replicas.min,
      data,
    }
  }
}

/** The name by which replicas know the function that is to answer the route prefix. */
function entrypointOf({ entrypoint }: DeploymentProgram): string {
  const name = functionNameOf(entrypoint)
  if (name !== undefined) return name
  const message =
    'The "entrypoint" of a deployment must be the default export of a file of the functions folder.'
  throw new IsoplexError('CONFIG_INVALID', message)
}

function isRouted({ routePrefix }: DeployedApplication): boolean {
  return routePrefix !== null
}

/** What is given of some options: what is `undefined` is not. */
function given({ replicas, maxOngoingRequests, maxModelsPerReplica }: DeployOptions): DeployOptions {
  return {
    ...(replicas !== undefined && { replicas }),
    ...(maxOngoingRequests !== undefined && { maxOngoingRequests }),
    ...(maxModelsPerReplica !== undefined && { maxModelsPerReplica }),
  }
}

function progressOf(place: DeploymentPlace): DeployProgress {
  let said = ''
  return (current, total, stage, message) => {
    tell(place, current, total, stage)
    if (message === '' || message === said) return
    said = message
    place.context.logMessage(message)
  }
}

function tell(
  { context, categories }: DeploymentPlace,
  current: number,
  total: number,
  stage: DeployStage,
): void {
  if (categories === null) context.setProgress(current, total)
  else if (categories.has(stage)) context.setProgress(current, total, stage)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
