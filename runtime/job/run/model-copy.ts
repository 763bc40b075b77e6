import { constants } from 'node:fs'
import { cp, mkdtemp } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { toStorageError } from '../../model/storage-error.ts'

/**
 * Copies a model's files into a folder, which is made where it is not there, and gives its path; without one, into a new
 * folder in `scratch`, from which a relative one is seen. Where the file system can, the copies share their blocks with the originals until one changes.
 *
 * @throws {IsoplexError} `STORAGE_FULL`
 */
export async function copyModel(
  source: string,
  { directory, scratch }: { readonly directory: string | undefined; readonly scratch: string },
): Promise<string> {
  try {
    const target =
      directory === undefined ? await mkdtemp(join(scratch, 'model-')) : resolve(scratch, directory)
    await cp(source, target, { recursive: true, mode: constants.COPYFILE_FICLONE })
    return target
  } catch (error) {
    throw toStorageError(error)
  }
}
