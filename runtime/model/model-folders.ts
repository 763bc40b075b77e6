import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readFolderFields } from './folder-fields.ts'
import { fingerprintOf, listModelFiles, type ModelFile } from './model-files.ts'
import type { RegisteredModel } from './registered-model.ts'
import type { Registry } from './registry.ts'
import { hasCode } from './storage-error.ts'

/** What a model folder has brought about. Folders that are as they were are not told of. */
export interface ModelFolderChange {
  /** The folder's name: the model's id. */
  readonly id: string
  /**
   * `added` and `updated` have a new version that is served from now on. `removed`: the folder is gone, and so is
   * its model. `skipped`: a model that was added by hand has this id. `failed`: the folder cannot be taken; what
   * was registered before goes on being served.
   */
  readonly change: 'added' | 'updated' | 'removed' | 'skipped' | 'failed'
  /** The new version, where there is one. */
  readonly version: number | null
  /** Why, where it was skipped or has failed. */
  readonly reason: string | null
}

/** What the audit says of who makes these changes. */
const actor = 'folder'

interface ModelFolder {
  readonly id: string
  readonly path: string
}

/**
 * Makes the registry follow a folder of model folders, each a model by its name. A folder counts where an `.onnx`
 * file or a zip archive is in it; one that holds nothing but one zip archive stands for what is in the archive.
 * What `isoplex.json` in it says are the model's fields, but for `from`, which names a file of an installed package that
 * is the model. Models are read only where files have changed since the last
 * time.
 *
 * Models that came from folders go with their folders. Models that were added by hand are left alone.
 */
export async function syncModelFolders(
  registry: Registry,
  directory: string,
): Promise<readonly ModelFolderChange[]> {
  const known = new Map((await registry.list()).map((model) => [model.id, model]))
  const present = new Set<string>()
  const changes: ModelFolderChange[] = []
  for (const folder of await listFolders(directory)) {
    const outcome = await syncModelFolder(registry, folder, known.get(folder.id))
    if (outcome !== 'no-model') present.add(folder.id)
    if (typeof outcome === 'object') changes.push(outcome)
  }
  for (const { id, folderFingerprint } of known.values()) {
    if (folderFingerprint === null || present.has(id)) continue
    if (await registry.removeFolderModel({ actor, id })) changes.push(changeOf(id, 'removed'))
  }
  return Object.freeze(changes)
}

async function listFolders(directory: string): Promise<readonly ModelFolder[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  })
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => ({ id: name, path: join(directory, name) }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

async function syncModelFolder(
  registry: Registry,
  { id, path }: ModelFolder,
  known: RegisteredModel | undefined,
): Promise<ModelFolderChange | 'no-model' | 'unchanged'> {
  try {
    const { fields, file, model } = await readFolderFields(path)
    const files = model === null ? await listModelFiles(path) : [model]
    const source = model?.path ?? sourceOf(path, files)
    if (source === undefined) return 'no-model'
    const folderFingerprint = fingerprintOf(file === null ? files : [...files, file])
    if (known?.folderFingerprint === folderFingerprint) return 'unchanged'
    if (known?.folderFingerprint === null) {
      return changeOf(id, 'skipped', {
        reason: `Model "${id}" was added by hand; remove it to use the folder ${path}.`,
      })
    }
    const { changed, version } = await registry.add({ actor, id, source, fields, folderFingerprint })
    return changed ? changeOf(id, known ? 'updated' : 'added', { version }) : 'unchanged'
  } catch (error) {
    // Our errors have a code, and so have those of the file system.
    if (!(error instanceof Error && 'code' in error)) throw error
    return changeOf(id, 'failed', { reason: error.message })
  }
}

/** What a folder is registered as: itself, or the one archive that is all it holds; nothing without a model. */
function sourceOf(path: string, files: readonly ModelFile[]): string | undefined {
  if (files.some(({ name }) => /\.onnx$/i.test(name))) return path
  const archives = files.filter(({ name }) => /\.zip$/i.test(name))
  if (archives.length === 0) return undefined
  return files.length === 1 ? archives[0]?.path : path
}

function changeOf(
  id: string,
  change: ModelFolderChange['change'],
  { version = null, reason = null }: Partial<Pick<ModelFolderChange, 'version' | 'reason'>> = {},
): ModelFolderChange {
  return Object.freeze({ id, change, version, reason })
}
