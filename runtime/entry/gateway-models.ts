import { digestsOf } from '../model/composite.ts'
import type { Logger } from '../observe/log.ts'
import type { RunnerLink } from '../replica/runner-link.ts'
import { createModelAccess, type ModelAccess, type ModelSource } from '../server/model-access.ts'
import type { ServiceThread } from '../thread/service-thread.ts'
import type { RegistryMethods } from './registry.ts'
import { watchState } from './state-watch.ts'

/** What the models of a gateway are found by. */
export interface GatewayModelsOptions {
  readonly stateDirectory: string
  /** Who knows which models are loaded. */
  readonly scheduler: { readonly pool: { readonly links: Iterable<Pick<RunnerLink, 'model'>> } }
  readonly log: Logger
  /** How often the store is told what is loaded, in milliseconds. @default 60000 */
  readonly holdMs?: number
}

/** The models as the gateway sees them. */
export interface GatewayModels {
  readonly access: ModelAccess
  /** Where they are found, with nothing remembered. */
  readonly source: ModelSource
  /** Forgets what was found, so that the next request sees what has become of it. */
  forget(): void
  /** Keeps the files of further models in the store: those of these digests, asked for again and again. */
  keep(digests: () => Iterable<string>): void
}

/** What was made ready is held by the store itself for ten minutes; what is loaded longer has to be named. */
const defaultHoldMs = 60_000

/** Remembers for a while what is found of models and callers, at the longest until the registry changes. */
export function openGatewayModels(
  { stateDirectory, scheduler, log, holdMs = defaultHoldMs }: GatewayModelsOptions,
  registry: Pick<ServiceThread<RegistryMethods>, 'ask'>,
  resources: AsyncDisposableStack,
): GatewayModels {
  const source: ModelSource = {
    find: (question) => registry.ask('find', question),
    confirm: (question) => registry.ask('confirm', question),
    prepare: (record, tenant) => registry.ask('prepare', record, tenant),
  }
  const createAccess = (): ModelAccess => createModelAccess(source)
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
  resources.use(watchState(stateDirectory, (name) => name.startsWith('registry.sqlite'), events))
  const others: (() => Iterable<string>)[] = []
  const hold = (): void => {
    const loaded = [...scheduler.pool.links].flatMap(({ model }) => (model ? digestsOf(model) : []))
    const digests = [...loaded, ...others.flatMap((list) => [...list()])]
    registry
      .ask('hold', [...new Set(digests)])
      .catch((error: unknown) => log.warn('The files of loaded models are not held in the store', { error }))
  }
  const holding = setInterval(hold, holdMs)
  resources.defer(() => clearInterval(holding))
  const access = Object.freeze<ModelAccess>({
    grant: (credentials, stickyKey) => current.grant(credentials, stickyKey),
    grantDefault: (modelId, stickyKey) => current.grantDefault(modelId, stickyKey),
    confirm: (credentials) => current.confirm(credentials),
    describe: (asking, stickyKey) => current.describe(asking, stickyKey),
  })
  const keep = (digests: () => Iterable<string>): void => {
    others.push(digests)
  }
  return { access, source, forget, keep }
}
