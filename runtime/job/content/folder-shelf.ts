import type { Dirent } from 'node:fs'
import {
  chmod,
  constants,
  copyFile,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hasCode, toStorageError } from '../../model/storage-error.ts'
import { exists } from '../../model/store-folder.ts'
import { assertContentKey, isContentKey, missingContent } from './content-key.ts'
import type { ContentShelf, ContentSource } from './content-shelf.ts'

/**
 * A shelf in a folder, which is made where it is missing and is its owner's alone. A file on the same disk is linked to,
 * another one copied. What a power failure of the machine takes away is not brought back.
 */
export function createFolderShelf(directory: string): ContentShelf {
  const placeOf = (key: string): string => {
    assertContentKey(key)
    return join(directory, ...key.split('/'))
  }
  return Object.freeze({
    async put(source: ContentSource, key: string) {
      await putFile(source, placeOf(key)).catch(rethrowStored)
    },
    async read(key: string, offset: number, maxBytes: number) {
      return readPiece(placeOf(key), offset, maxBytes).catch(rethrowMissing)
    },
    async fetch(key: string, path: string) {
      const place = placeOf(key)
      await stat(place).catch(rethrowMissing)
      // Written over, it could change a content that it is linked to.
      await rm(path, { force: true })
      await copyFile(place, path, constants.COPYFILE_FICLONE).catch(async (error: unknown) => {
        await rm(path, { force: true })
        rethrowStored(error)
      })
    },
    async remove(keys: readonly string[]) {
      for (const place of keys.map(placeOf)) {
        await rm(place, { force: true })
        await removeEmpty(dirname(place), directory)
      }
    },
    listOlderThan: (ageMs: number) => listOlder(directory, '', Date.now() - ageMs),
  })
}

async function putFile(source: ContentSource, place: string): Promise<void> {
  // A key like any other: what a death leaves half written is one of the contents that no row names.
  const partial = `${place}-${crypto.randomUUID()}`
  const folder = dirname(place)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  try {
    await writePartial(source, partial)
    await rename(partial, place)
  } catch (error) {
    await rm(partial, { force: true })
    // The folder was empty, and somebody has removed it in between.
    if (hasCode(error, 'ENOENT') && !(await exists(folder))) return putFile(source, place)
    throw error
  }
}

async function writePartial(source: ContentSource, partial: string): Promise<void> {
  if ('bytes' in source) return writeFile(partial, source.bytes, { flag: 'wx', mode: 0o600 })
  if (!(await lstat(source.path)).isFile()) {
    throw new TypeError(`"path" must be that of a file; got ${JSON.stringify(source.path)}.`)
  }
  try {
    await link(source.path, partial)
    await chmod(partial, 0o600)
  } catch {
    // On another disk, another user's, or where there are no links; what else is wrong the copy meets as well.
    await rm(partial, { force: true })
    await copyFile(source.path, partial, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    await chmod(partial, 0o600)
  }
}

async function readPiece(place: string, offset: number, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const handle = await open(place, 'r')
  try {
    const { size } = await handle.stat()
    const bytes = new Uint8Array(Math.max(0, Math.min(maxBytes, size - offset)))
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, offset + done)
      if (bytesRead === 0) return bytes.subarray(0, done)
      done += bytesRead
    }
    return bytes
  } finally {
    await handle.close()
  }
}

/** Removes a folder, and those above it, as far as they are empty. */
async function removeEmpty(folder: string, root: string): Promise<void> {
  for (let empty = folder; empty !== root; empty = dirname(empty)) {
    try {
      await rmdir(empty)
    } catch (error) {
      if (hasCode(error, 'ENOENT')) continue
      if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) return
      throw error
    }
  }
}

async function* listOlder(
  directory: string,
  prefix: string,
  beforeMs: number,
): AsyncGenerator<readonly string[]> {
  const old: string[] = []
  for (const entry of await readEntries(join(directory, prefix))) {
    const key = prefix + entry.name
    if (entry.isDirectory()) yield* listOlder(directory, `${key}/`, beforeMs)
    else if (isContentKey(key) && (await isOlder(join(directory, key), beforeMs))) old.push(key)
  }
  if (old.length > 0) yield old
}

async function readEntries(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}

async function isOlder(path: string, beforeMs: number): Promise<boolean> {
  try {
    // When the link was made: the bytes may be much older.
    return (await stat(path)).ctimeMs < beforeMs
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}

function rethrowStored(error: unknown): never {
  throw toStorageError(error)
}

function rethrowMissing(error: unknown): never {
  throw hasCode(error, 'ENOENT') ? missingContent(error) : error
}
