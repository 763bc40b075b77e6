import { openArtifactStore } from '../../runtime/model/artifact-store.ts'
import type { Caller, ModelQuestion } from '../../runtime/model/backend.ts'
import { openRegistry, type Registry, type RegistryOptions } from '../../runtime/model/registry.ts'
import type { Scratch } from './scratch.ts'

/** Whoever makes the changes of tests. */
export const actor = 'test'

/** Opens the registry of a scratch folder; any number of times. It is closed when it is disposed of. */
export async function openScratchRegistry(
  scratch: Scratch,
  options: Pick<RegistryOptions, 'now'> = {},
): Promise<Registry & AsyncDisposable> {
  const directory = scratch.path('models')
  const store = await openArtifactStore({ directory })
  const registry = await openRegistry({ directory, store, ...options })
  return Object.assign(registry, { [Symbol.asyncDispose]: () => registry.close() })
}

/** The question for a model: of an issuer that is trusted and names no tenant, where nothing else is said. */
export function question(modelId: string, caller: Partial<Caller> = {}): ModelQuestion {
  return { modelId, tenant: null, accessToken: null, proven: true, ...caller }
}

/** What somebody says who has nothing but an access token. */
export function bearer(accessToken: string, tenant: string | null = null): Caller {
  return { tenant, accessToken, proven: false }
}

/** The versions that a question is answered with, with their weights. */
export async function findVersions(
  registry: Registry,
  modelId: string,
  caller: Partial<Caller> = {},
): Promise<readonly (readonly [version: string | null, weight: number])[]> {
  const { versions } = await registry.find(question(modelId, caller))
  return versions.map(({ record, weight }) => [record.version, weight])
}

/** Adds this many versions of a model. */
export async function addVersions(
  registry: Registry,
  scratch: Scratch,
  id: string,
  count = 1,
  tenant: string | null = null,
): Promise<void> {
  for (let note = 1; note <= count; note += 1) {
    const source = await scratch.write('model.onnx', 'graph')
    await registry.add({ actor, id, source, tenant, fields: { note } })
  }
}
