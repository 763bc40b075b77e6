import type { ArtifactStore } from './artifact-store.ts'
import type { ProgressOptions } from './progress.ts'
import type { PruneResult } from './prune.ts'
import type { Registry } from './registry.ts'
import type { ModelResolver } from './resolve.ts'
import type { Transfer } from './transfer.ts'
import type { BrokenArtifact } from './verify.ts'

/** What is done to the store of a host besides serving from it: like `Administration`, one plain object a call. */
export interface StoreKeeping {
  /** The downloads and unpackings that go on in this process. */
  listTransfers(parameters: Readonly<Record<string, never>>): Promise<readonly Transfer[]>
  /** Reads all that is in the store and tells what is broken; with `remove` it is removed. */
  verifyStore(parameters: { readonly remove: boolean }): Promise<readonly BrokenArtifact[]>
  /** Removes what was used longest ago, until no more than `maxBytes` are left; nothing that was added by hand. */
  pruneStore(parameters: { readonly maxBytes: number }): Promise<PruneResult>
  /**
   * Has a model downloaded and unpacked before anybody asks for it, in the operator's own name. `id` is what a token
   * would name; `tenant` whose model it is.
   */
  pullModel(parameters: PullParameters): Promise<readonly PulledModel[]>
}

/** A model to be pulled. */
export interface PullParameters extends ProgressOptions {
  readonly id: string
  readonly tenant: string | null
}

/** A version of a model that is ready to be loaded. */
export interface PulledModel {
  readonly id: string
  readonly version: string
  /** The SHA-256 of its artifact, in lower-case hexadecimal. */
  readonly digest: string
}

/** What a store is kept with. */
export interface StoreKeepingOptions {
  readonly store: ArtifactStore
  readonly registry: Registry
  readonly resolver: ModelResolver
}

/** The keeping of a store whose registry is open here. */
export function createStoreKeeping({ store, registry, resolver }: StoreKeepingOptions): StoreKeeping {
  return Object.freeze<StoreKeeping>({
    listTransfers: async () => store.transfers(),
    verifyStore: ({ remove }) => store.verify({ remove }),
    pruneStore: async ({ maxBytes }) => store.prune({ maxBytes, keep: await listDigests(registry) }),
    pullModel: ({ id, tenant, onProgress }) => pull({ modelId: id, tenant }, resolver, { onProgress }),
  })
}

/** Several versions may share a model's requests; each is made ready. */
async function pull(
  asked: { readonly modelId: string; readonly tenant: string | null },
  { find, prepare }: ModelResolver,
  options: ProgressOptions,
): Promise<readonly PulledModel[]> {
  const { tenant, versions } = await find({ ...asked, accessToken: null, proven: true })
  const pulled: PulledModel[] = []
  for (const { record } of versions) {
    const { info, digest } = await prepare(record, tenant, options)
    pulled.push({ id: info.id, version: info.version, digest })
  }
  return pulled
}

/** The artifacts that a registry names: nobody else has them, so that they could be downloaded again. */
export async function listDigests(registry: Pick<Registry, 'list'>): Promise<ReadonlySet<string>> {
  const models = await registry.list()
  return new Set(models.flatMap(({ versions }) => versions.map(({ digest }) => digest)))
}
