import { type CheckAccess, requireAccess } from '../access.ts'
import type { SystemRoute } from '../system-route.ts'
import { createAccessHandlers } from './access-handlers.ts'
import { createDeploymentHandlers } from './deployment-handlers.ts'
import { createModelHandlers } from './model-handlers.ts'
import type { AdministrationRoutesOptions, Administrator } from './options.ts'
import { createReplicaHandlers } from './replica-handlers.ts'
import { createStoreHandlers } from './store-handlers.ts'

/** The administration over HTTP, below `/-/`. Who may, and in whose name, `identify` says of each request. */
export function createAdministrationRoutes(options: AdministrationRoutesOptions): readonly SystemRoute[] {
  const models = createModelHandlers(options)
  const store = createStoreHandlers(options)
  const accesses = createAccessHandlers(options)
  const replicas = createReplicaHandlers(options)
  const deployments = createDeploymentHandlers(options)
  return [
    { path: '/-/models', handlers: { GET: models.list, POST: models.add } },
    { path: '/-/models/:name', handlers: { GET: models.show, DELETE: models.remove } },
    {
      path: '/-/models/:name/aliases/:alias',
      handlers: { PUT: models.setAlias, DELETE: models.removeAlias },
    },
    { path: '/-/tenants', handlers: { GET: accesses.listTenants, POST: accesses.addTenant } },
    { path: '/-/tenants/:name', handlers: { DELETE: accesses.revokeTenant } },
    { path: '/-/access', handlers: { GET: accesses.listAccesses, POST: accesses.addAccess } },
    { path: '/-/access/:id', handlers: { DELETE: accesses.revokeAccess } },
    { path: '/-/store/verify', handlers: { POST: store.verify } },
    { path: '/-/store/prune', handlers: { POST: store.prune } },
    { path: '/-/store/pull', handlers: { POST: store.pull } },
    { path: '/-/replicas', handlers: { GET: replicas.report } },
    { path: '/-/replicas/load', handlers: { POST: replicas.load } },
    { path: '/-/replicas/unload', handlers: { POST: replicas.unload } },
    { path: '/-/replicas/pin', handlers: { POST: replicas.pin } },
    { path: '/-/replicas/unpin', handlers: { POST: replicas.unpin } },
    { path: '/-/deployments', handlers: { GET: deployments.list } },
    { path: '/-/deployments/:name', handlers: { GET: deployments.show, PUT: deployments.redeploy } },
    { path: '/-/audit', handlers: { GET: accesses.listAudit } },
  ]
}

/** Takes for administrators those who send an access token that may administer; never a model token. */
export function identifyByAccess(checkAccess: CheckAccess): (request: Request) => Promise<Administrator> {
  return async ({ headers }) => {
    const { id } = await requireAccess(headers, { rights: 'admin', synapse: false }, checkAccess)
    return { actor: `access:${id}`, accessId: id }
  }
}

/** Takes everybody for whoever sits at the machine: only a socket that nobody else can open may do so. */
export async function identifyAsLocal(): Promise<Administrator> {
  return { actor: 'local', accessId: null }
}
