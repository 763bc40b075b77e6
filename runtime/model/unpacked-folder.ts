import { readFileSync } from 'node:fs'
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFile, syncFolder } from './durable-file.ts'
import { withFileLock } from './file-lock.ts'
import { hasCode } from './storage-error.ts'
import { exists, type StoreFolder } from './store-folder.ts'

/** What stands in the mark of a folder that would outlive the machine's going down. */
const synced = 'synced'

/** Names the time since the machine was started; `null` where the system has no name for it. */
const machineSession = readMachineSession()

/**
 * Whether an artifact is unpacked here, whole. To wait until a disk has a whole model costs more than to unpack it
 * once more: so a folder counts only as long as the machine runs on which it was unpacked. Where that cannot be told,
 * it is written to the disk before it counts.
 */
export async function isUnpacked(
  { unpackedPath, unpackedMark }: StoreFolder,
  digest: string,
): Promise<boolean> {
  return (await exists(unpackedPath(digest))) && (await readMark(unpackedMark(digest))) === currentMark()
}

/**
 * Puts a folder that was made aside where an artifact's unpacked folder belongs. One that is there already stays; one
 * that does not count any more goes, since nobody who lives has ever used it.
 */
export async function adoptUnpacked(folder: StoreFolder, digest: string, made: string): Promise<void> {
  const { staging, unpackedPath, unpackedMark, unpackedLock } = folder
  if (machineSession === null) await syncTree(made)
  await withFileLock(unpackedLock, async () => {
    if (await isUnpacked(folder, digest)) {
      await rm(made, { recursive: true, force: true })
      return
    }
    await staging.remove(unpackedPath(digest))
    await staging.writeSmall(unpackedMark(digest), currentMark())
    await rename(made, unpackedPath(digest))
  })
}

/** What the files of a folder take together, in bytes. */
export async function sumOfFiles(path: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size
  }
  return bytes
}

function currentMark(): string {
  return machineSession ?? synced
}

async function readMark(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

function readMachineSession(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() || null
  } catch {
    return null
  }
}

async function syncTree(path: string): Promise<void> {
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    const inside = join(entry.parentPath, entry.name)
    await (entry.isDirectory() ? syncFolder(inside) : syncFile(inside))
  }
  await syncFolder(path)
}
