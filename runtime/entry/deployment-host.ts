import { withoutApart } from '../build/graph-manifest.ts'
import type { Manifest } from '../build/manifest.ts'
import type { Config } from '../config/config.ts'
import type { DeploymentChange } from '../config/deployment-config.ts'
import { IsoplexError } from '../error/error.ts'
import { type Deployment, toDeployment } from '../replica/deployment.ts'
import {
  apartIn,
  type DeploymentPlan,
  deployedManifest,
  type PlannedDeployment,
  planDeployments,
} from '../replica/deployment-plan.ts'
import { type DeploymentControl, type DeploymentReport, statusOf } from '../replica/deployment-report.ts'
import type { SchedulerGroups } from '../replica/scheduler-groups.ts'
import { templateOf } from '../server/document.ts'
import type { ServedFunction } from '../server/exchange.ts'
import { operator } from '../server/residency/model-placement.ts'

/** What deployments are made and changed by. */
export interface DeploymentHostOptions {
  readonly config: Pick<
    Config,
    'deployments' | 'entrypoint' | 'maxModelsPerReplica' | 'maxOngoingRequests' | 'requestTimeoutMs'
  >
  /** Where the bundles lie, those of the manifest that is followed last. */
  readonly source: { readonly bundlesDirectory: string }
  /** The prefix of all routes; empty for none. */
  readonly routePrefix: string
  readonly scheduler: Pick<SchedulerGroups, 'activities' | 'follow' | 'load' | 'pool' | 'prepare'>
  /** Serves what has become current: called after each change. */
  readonly serve: () => void
}

/** What is served of a manifest. */
export interface ServedDeployments {
  /** The manifest with a function for each deployment; what cannot be served stands among what is broken. */
  readonly manifest: Manifest
  readonly functions: readonly ServedFunction[]
  readonly problems: DeploymentPlan['problems']
}

/** The deployments of a server: what of the functions is served as what, and with what settings. */
export class DeploymentHost implements DeploymentControl {
  readonly #options: DeploymentHostOptions
  #manifest: Manifest = Object.freeze({ functions: [], broken: [] })
  #plan: DeploymentPlan = Object.freeze({ deployments: [], problems: [] })
  #served: readonly ServedFunction[] = []
  /** Changes while the server runs; a restart goes back to the configuration. */
  #changed: ReadonlyMap<string, DeploymentChange> = new Map()
  /** Changes come one after the other. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: DeploymentHostOptions) {
    this.#options = options
  }

  /** Plans the deployments of a manifest, which is the current one from now on. */
  follow(manifest: Manifest): ServedDeployments {
    this.#manifest = manifest
    return this.#take(this.#planWith(this.#changed))
  }

  /** What is served now, as {@link follow} gave it. */
  get current(): ServedDeployments {
    const manifest = deployedManifest(this.#manifest, this.#plan)
    return { manifest, functions: this.#served, problems: this.#plan.problems }
  }

  /** Every deployment, in the order of the functions and the configuration. */
  list(): readonly DeploymentReport[] {
    const activities = this.#options.scheduler.activities()
    return this.#plan.deployments.flatMap((planned, index): readonly DeploymentReport[] => {
      const activity = activities.get(planned.manifest.name)
      const deployment = this.#served[index]?.deployment
      if (!activity || !deployment || planned.fn.kind === 'action') return []
      const { manifest, fn, settings } = planned
      const { replicas, ongoing, queued } = activity
      return [
        {
          name: manifest.name,
          function: fn.name,
          kind: fn.kind,
          version: fn.bundle,
          status: statusOf(replicas),
          route: this.#options.routePrefix + templateOf(manifest),
          group: deployment.group?.id ?? null,
          replicas,
          ongoing,
          queued,
          settings,
        },
      ]
    })
  }

  /** One deployment. @throws {IsoplexError} `DEPLOYMENT_NOT_FOUND` */
  find(name: string): DeploymentReport {
    return this.list().find((report) => report.name === name) ?? this.#missing(name)
  }

  /** Changes settings of a deployment: see {@link DeploymentControl.redeploy}. */
  redeploy(name: string, change: DeploymentChange): Promise<DeploymentReport> {
    const changing = this.#last.then(() => this.#redeploy(name, change))
    this.#last = changing.catch(() => undefined)
    return changing
  }

  async #redeploy(name: string, change: DeploymentChange): Promise<DeploymentReport> {
    this.find(name)
    const changed = new Map(this.#changed).set(name, { ...this.#changed.get(name), ...change })
    const plan = this.#planWith(changed)
    const known = new Set(this.#plan.problems.map(({ message }) => message))
    const problem = plan.problems.find(({ message }) => !known.has(message))
    if (problem) throw refusedChange(problem.message)
    const planned = plan.deployments.find(({ manifest }) => manifest.name === name)
    if (!planned) return this.#missing(name)
    await this.#comeUp(name, this.#settle(planned, apartIn(plan.deployments)))
    this.#changed = changed
    // The files may have changed meanwhile.
    this.#take(this.#planWith(changed))
    this.#options.serve()
    return this.find(name)
  }

  /** Has the runners of a deployment come up that has the name of a current one, with the models that this holds. */
  async #comeUp(name: string, next: Deployment): Promise<void> {
    const { scheduler } = this.#options
    const before = this.#served.find(({ deployment }) => deployment.name === name)
    if (!before || before.deployment.id === next.id) return
    scheduler.prepare(next)
    const held = [...scheduler.pool.links].filter(({ deployment, state }) => {
      return deployment.name === name && state === 'active'
    })
    const models = new Map(held.flatMap(({ model }) => (model ? [[model.key, model] as const] : [])))
    const loads = before.manifest.model ? [...models.values()] : [null]
    try {
      await Promise.all(
        loads.map((model) => scheduler.load(next, model, { pin: false, principal: operator })),
      )
    } catch (error) {
      scheduler.follow(this.#served.map(({ deployment }) => deployment))
      throw error
    }
  }

  #planWith(changed: ReadonlyMap<string, DeploymentChange>): DeploymentPlan {
    const { deployments: configured, entrypoint } = this.#options.config
    return planDeployments(this.#manifest.functions, { configured, changed, entrypoint })
  }

  #take(plan: DeploymentPlan): ServedDeployments {
    this.#plan = plan
    const apart = apartIn(plan.deployments)
    this.#served = plan.deployments.map((planned) => {
      const { mount } = planned
      const manifest = withoutApart(planned.manifest, apart)
      return { manifest, deployment: this.#settle(planned, apart), mount }
    })
    return this.current
  }

  #settle({ manifest: { name }, fn, settings }: PlannedDeployment, apart: ReadonlySet<string>): Deployment {
    const { source, config } = this.#options
    return toDeployment(fn, source.bundlesDirectory, config, { name, settings, apart })
  }

  #missing(name: string): never {
    const names = this.#served.map(({ deployment }) => deployment.name).join(', ')
    const message = `There is no deployment "${name}"; there are: ${names || 'none'}.`
    throw new IsoplexError('DEPLOYMENT_NOT_FOUND', message, { details: { deployment: name } })
  }
}

function refusedChange(message: string): IsoplexError<'INPUT_INVALID'> {
  const details = { issues: [{ path: '', message }] }
  return new IsoplexError('INPUT_INVALID', `The change is not taken. ${message}`, { details })
}
