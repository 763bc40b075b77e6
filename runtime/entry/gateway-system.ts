import type { ArtifactGrants } from '../auth/grant.ts'
import type { Config } from '../config/config.ts'
import type { JobService } from '../job/service.ts'
import type { Logger } from '../observe/log.ts'
import type { DeploymentControl } from '../replica/deployment-report.ts'
import { createAdministrationRoutes, identifyAsLocal, identifyByAccess } from '../server/admin/routes.ts'
import type { Authorizer } from '../server/authorization.ts'
import type { BodyBudget } from '../server/body.ts'
import { identifyAsOperator, identifyByToken } from '../server/job/onlooker.ts'
import { createJobRoutes } from '../server/job/routes.ts'
import { createMetricsRoute } from '../server/metrics/metrics-route.ts'
import type { MetricsSources } from '../server/metrics/registries.ts'
import { createRegistryRoutes } from '../server/registry/routes.ts'
import type { ModelPlacement } from '../server/residency/model-placement.ts'
import type { SystemRoute } from '../server/system-route.ts'
import type { ServiceThread } from '../thread/service-thread.ts'
import { openControl } from './control.ts'
import type { RegistryMethods } from './registry.ts'
import {
  createRegistryService,
  createThreadAdministration,
  createThreadStoreKeeping,
} from './registry-service.ts'

/** What a gateway's own paths are made from. */
export interface GatewaySystemOptions {
  readonly config: Pick<Config, 'publicUrl' | 'uploadTimeoutMs' | 'metricsAccess'>
  readonly stateDirectory: string
  /** A folder that only its user can enter, with a short path. */
  readonly runDirectory: string
  readonly registry: ServiceThread<RegistryMethods>
  readonly grants: ArtifactGrants
  readonly bodies: BodyBudget
  readonly placement: ModelPlacement
  readonly deployments: DeploymentControl
  /** Where functions are called. */
  readonly server: { readonly url: URL }
  readonly metrics: MetricsSources
  readonly jobs: JobService
  /** Who the callers of jobs are is found out by it. */
  readonly authorizer: Authorizer
  /** Fires when the server is about to stop. */
  readonly stopping: AbortSignal
  /** Whether requests need no token: from this machine only, while somebody develops. */
  readonly trusting: boolean
  readonly log: Logger
}

/**
 * Makes the paths for metrics, jobs, administration and other servers, which ask for tokens, and listens on
 * the control socket, which asks for none. Metrics are open where the configuration says so, and where requests need no
 * token.
 */
export async function openGatewaySystem(
  options: GatewaySystemOptions,
  resources: AsyncDisposableStack,
): Promise<readonly SystemRoute[]> {
  const { config, stateDirectory, runDirectory, registry, grants, bodies, placement, log } = options
  const service = createRegistryService(registry)
  const body = { budget: bodies, timeoutMs: config.uploadTimeoutMs }
  const administered = {
    administration: createThreadAdministration(registry),
    store: createThreadStoreKeeping(registry),
    placement,
    deployments: options.deployments,
    urlOf: () => options.server.url,
    registerUpload: service.registerUpload,
    body,
    log,
  }
  const { metrics: sources, jobs, authorizer, stopping } = options
  const shown = { jobs, stopping, log }
  const local = [
    ...createAdministrationRoutes({ ...administered, identify: identifyAsLocal }),
    ...createJobRoutes({ ...shown, identify: identifyAsOperator }),
    createMetricsRoute({ sources, admit: identifyAsLocal }),
  ]
  resources.use(await openControl({ stateDirectory, runDirectory, routes: local, log }))
  const identify = identifyByAccess(service.checkAccess)
  const isOpen = options.trusting || config.metricsAccess === 'public'
  return [
    createMetricsRoute({ sources, admit: isOpen ? async () => undefined : identify }),
    ...createAdministrationRoutes({ ...administered, identify }),
    ...createJobRoutes({ ...shown, identify: identifyByToken(authorizer, service.checkAccess) }),
    ...createRegistryRoutes({ registry: service, grants, publicUrl: config.publicUrl, body }),
  ]
}
