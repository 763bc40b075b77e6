import type { Config } from '../config/config.ts'
import { createArtifactPolicy } from '../model/artifact-policy.ts'
import { type ArtifactStore, openArtifactStore } from '../model/artifact-store.ts'
import type { Backend } from '../model/backend.ts'
import { openRegistry, type Registry } from '../model/registry.ts'
import { createModelResolver, type ModelResolver } from '../model/resolve.ts'
import { createStoreKeeping, listDigests, type StoreKeeping } from '../model/store-keeping.ts'
import { createSynapseBackend } from '../model/synapse-backend.ts'

/** What of the configuration says where models come from. Plain data: it crosses to a thread. */
export type ModelSettings = Pick<
  Config,
  | 'backend'
  | 'backendUrl'
  | 'backendHeaders'
  | 'backendTimeoutMs'
  | 'artifactHosts'
  | 'maxArtifactBytes'
  | 'maxStoreBytes'
>

/** Takes out of a configuration what says where models come from. */
export function modelSettingsOf(config: Config): ModelSettings {
  const { backend, backendUrl, backendHeaders, backendTimeoutMs } = config
  const { artifactHosts, maxArtifactBytes, maxStoreBytes } = config
  return {
    backend,
    backendUrl,
    backendHeaders,
    backendTimeoutMs,
    artifactHosts,
    maxArtifactBytes,
    maxStoreBytes,
  }
}

/** What the models of a host are opened with. */
export interface ModelHostOptions {
  /** The state folder; it must exist. */
  readonly directory: string
  readonly settings: ModelSettings
  /** This server's own access token to the Synapse backend, `null` where it has none. Never to be logged. */
  readonly serverAccessToken: string | null
  /** Hears of a pruning that has failed; what was downloaded is there all the same. */
  readonly onPruningFailed: (error: unknown) => void
}

/** The models of a host. */
export interface ModelHost extends AsyncDisposable {
  readonly store: ArtifactStore
  /** The embedded registry, which is there whatever the backend is. */
  readonly registry: Registry
  readonly backend: Backend
  readonly resolver: ModelResolver
  readonly keeping: StoreKeeping
}

/**
 * Opens store and registry of a state folder, and the backend that the configuration names.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where the registry cannot be opened, `STORAGE_FULL`.
 */
export async function openModelHost(options: ModelHostOptions): Promise<ModelHost> {
  const { directory, settings, onPruningFailed } = options
  const { backend: kind, backendUrl, artifactHosts, maxArtifactBytes, maxStoreBytes } = settings
  const store = await openArtifactStore({
    directory,
    ...createArtifactPolicy(kind === 'synapse' ? backendUrl : null, artifactHosts),
    maxArtifactBytes,
    pruning: { maxBytes: maxStoreBytes, keep: () => listDigests(registry), failed: onPruningFailed },
  })
  const registry = await openRegistry({ directory, store })
  const backend = kind === 'embedded' ? registry : toSynapseBackend(options)
  const resolver = createModelResolver({ backend, store })
  const keeping = createStoreKeeping({ store, registry, resolver })
  const close = (): Promise<void> => registry.close()
  return Object.freeze({ store, registry, backend, resolver, keeping, [Symbol.asyncDispose]: close })
}

/** The access token by which this server asks the Synapse backend for callers who bring none of their own. */
export function serverAccessTokenOf(
  environment: Readonly<Record<string, string | undefined>>,
): string | null {
  return environment.SYNAPSE_ACCESS_TOKEN || null
}

function toSynapseBackend({ settings, serverAccessToken }: ModelHostOptions): Backend {
  const { backendUrl, backendHeaders, backendTimeoutMs } = settings
  if (backendUrl === null) throw new TypeError('"backendUrl" must be set for the Synapse backend.')
  return createSynapseBackend({
    url: backendUrl,
    headers: backendHeaders,
    timeoutMs: backendTimeoutMs,
    serverAccessToken,
  })
}
