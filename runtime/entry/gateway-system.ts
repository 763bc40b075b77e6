import type { ArtifactGrants } from '../auth/grant.ts'
import type { Config } from '../config/config.ts'
import type { RegistryThread } from '../model/registry-thread.ts'
import type { Logger } from '../observe/log.ts'
import { createAdministrationRoutes, identifyAsLocal, identifyByAccess } from '../server/admin/routes.ts'
import type { BodyBudget } from '../server/body.ts'
import { createRegistryRoutes } from '../server/registry/routes.ts'
import type { SystemRoute } from '../server/system-route.ts'
import { openControl } from './control.ts'
import type { RegistryMethods } from './registry.ts'
import {
  createRegistryService,
  createThreadAdministration,
  createThreadStoreKeeping,
} from './registry-service.ts'

/** What a gateway's own paths are made from. */
export interface GatewaySystemOptions {
  readonly config: Pick<Config, 'publicUrl' | 'uploadTimeoutMs'>
  readonly stateDirectory: string
  /** A folder that only its user can enter, with a short path. */
  readonly runDirectory: string
  readonly registry: RegistryThread<RegistryMethods>
  readonly grants: ArtifactGrants
  readonly budget: BodyBudget
  readonly log: Logger
}

/**
 * Makes the paths for administration and for other servers, which ask for access tokens, and listens on the control
 * socket, which asks for none.
 */
export async function openGatewaySystem(
  options: GatewaySystemOptions,
  resources: AsyncDisposableStack,
): Promise<readonly SystemRoute[]> {
  const { config, stateDirectory, runDirectory, registry, grants, budget, log } = options
  const service = createRegistryService(registry)
  const body = { budget, timeoutMs: config.uploadTimeoutMs }
  const administered = {
    administration: createThreadAdministration(registry),
    store: createThreadStoreKeeping(registry),
    registerUpload: service.registerUpload,
    body,
    log,
  }
  const local = createAdministrationRoutes({ ...administered, identify: identifyAsLocal })
  resources.use(await openControl({ stateDirectory, runDirectory, routes: local, log }))
  return [
    ...createAdministrationRoutes({ ...administered, identify: identifyByAccess(service.checkAccess) }),
    ...createRegistryRoutes({ registry: service, grants, publicUrl: config.publicUrl, body }),
  ]
}
