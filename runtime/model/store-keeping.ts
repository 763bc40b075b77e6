import type { ArtifactStore } from './artifact-store.ts'
import type { PruneResult } from './prune.ts'
import type { Registry } from './registry.ts'
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
}

/** The keeping of a store whose registry is open here. */
export function createStoreKeeping(store: ArtifactStore, registry: Registry): StoreKeeping {
  return Object.freeze<StoreKeeping>({
    listTransfers: async () => store.transfers(),
    verifyStore: ({ remove }) => store.verify({ remove }),
    pruneStore: async ({ maxBytes }) => store.prune({ maxBytes, keep: await listDigests(registry) }),
  })
}

/** The artifacts that a registry names: nobody else has them, so that they could be downloaded again. */
export async function listDigests(registry: Pick<Registry, 'list'>): Promise<ReadonlySet<string>> {
  const models = await registry.list()
  return new Set(models.flatMap(({ versions }) => versions.map(({ digest }) => digest)))
}
