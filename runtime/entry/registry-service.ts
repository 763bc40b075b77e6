import type { ReportingAdministration } from '../model/administration.ts'
import type { StoreKeeping } from '../model/store-keeping.ts'
import type { RegistryService } from '../server/registry/service.ts'
import type { ServiceThread } from '../thread/service-thread.ts'
import type { RegistryMethods } from './registry.ts'

type Thread = Pick<ServiceThread<RegistryMethods>, 'ask' | 'askGiving'>

/** Makes the administration that the registry's thread answers. */
export function createThreadAdministration(thread: Thread): ReportingAdministration {
  return Object.freeze<ReportingAdministration>({
    listModels: (parameters) => thread.ask('listModels', parameters),
    showModel: (parameters) => thread.ask('showModel', parameters),
    addModel: (parameters) => thread.ask('addModel', parameters),
    removeModel: (parameters) => thread.ask('removeModel', parameters),
    setAlias: (parameters) => thread.ask('setAlias', parameters),
    removeAlias: (parameters) => thread.ask('removeAlias', parameters),
    listTenants: (parameters) => thread.ask('listTenants', parameters),
    addTenant: (parameters) => thread.ask('addTenant', parameters),
    revokeTenant: (parameters) => thread.ask('revokeTenant', parameters),
    listAccesses: (parameters) => thread.ask('listAccesses', parameters),
    addAccess: (parameters) => thread.ask('addAccess', parameters),
    revokeAccess: (parameters) => thread.ask('revokeAccess', parameters),
    checkAccess: (parameters) => thread.ask('checkAccess', parameters),
    noteResidency: (parameters) => thread.ask('noteResidency', parameters),
    listAudit: (parameters) => thread.ask('listAudit', parameters),
  })
}

/** Makes the keeping of the store that the registry's thread does. */
export function createThreadStoreKeeping(thread: Thread): StoreKeeping {
  return Object.freeze<StoreKeeping>({
    listTransfers: (parameters) => thread.ask('listTransfers', parameters),
    verifyStore: (parameters) => thread.ask('verifyStore', parameters),
    pruneStore: (parameters) => thread.ask('pruneStore', parameters),
    pullModel: (parameters) => thread.ask('pullModel', parameters),
  })
}

/** Makes what the routes of the registry ask, of what its thread answers. Chunks are given to it without a copy. */
export function createRegistryService(thread: Thread): RegistryService {
  return Object.freeze<RegistryService>({
    checkAccess: (parameters) => thread.ask('checkAccess', parameters),
    listModels: (parameters) => thread.ask('listModels', parameters),
    find: (question) => thread.ask('findRegistered', question),
    findArtifact: (digest) => thread.ask('locateArtifact', digest),
    registerApplication: (application) => thread.ask('registerApplication', application),
    listApplications: (of) => thread.ask('listApplications', of),
    beginUpload: (accessId, chunk, buffer) => thread.askGiving([buffer], 'beginUpload', accessId, chunk),
    appendUpload: (name, chunk, buffer) => thread.askGiving([buffer], 'appendUpload', name, chunk),
    finishUpload: (name, md5) => thread.ask('finishUpload', name, md5),
    registerUpload: ({ upload, publisher, ...model }) =>
      thread.ask('registerUpload', upload, publisher === null ? model : { ...model, publisher }),
  })
}
