import type { RegistryThread } from '../model/registry-thread.ts'
import type { Logger } from '../observe/log.ts'
import { createModelAccess, type ModelAccess } from '../server/model-access.ts'
import type { RegistryMethods } from './registry.ts'
import { watchRegistry } from './registry-watch.ts'

/** What the models of a gateway are found by. */
export interface GatewayModelsOptions {
  readonly stateDirectory: string
  readonly log: Logger
}

/** The models as the gateway sees them. */
export interface GatewayModels {
  readonly access: ModelAccess
  /** Forgets what was found, so that the next request sees what has become of it. */
  forget(): void
}

/** Remembers for a while what is found of models and callers, at the longest until the registry changes. */
export function openGatewayModels(
  { stateDirectory, log }: GatewayModelsOptions,
  registry: RegistryThread<RegistryMethods>,
  resources: AsyncDisposableStack,
): GatewayModels {
  const createAccess = (): ModelAccess =>
    createModelAccess({
      find: (question) => registry.ask('find', question),
      confirm: (question) => registry.ask('confirm', question),
      prepare: (record, tenant) => registry.ask('prepare', record, tenant),
    })
  let current = createAccess()
  // What is being asked meanwhile is an old answer: it comes to the old access, which nobody asks again.
  const forget = (): void => {
    current = createAccess()
  }
  const events = {
    onChange: forget,
    onError: (error: unknown) =>
      log.warn('The registry is not watched: its changes are noticed late', { error }),
  }
  resources.use(watchRegistry(stateDirectory, events))
  const access = Object.freeze<ModelAccess>({
    grant: (credentials, stickyKey) => current.grant(credentials, stickyKey),
    grantDefault: (modelId, stickyKey) => current.grantDefault(modelId, stickyKey),
    confirm: (credentials) => current.confirm(credentials),
  })
  return { access, forget }
}
