/** A file of the browser's own that is open for writing, as workers have it (File System Standard, section 2.8). */
export interface WritableArtifact {
  getSize(): number
  read(into: Uint8Array, place: { readonly at: number }): number
  /** @throws {DOMException} `QuotaExceededError` */
  write(bytes: Uint8Array, place: { readonly at: number }): number
  truncate(sizeBytes: number): void
  close(): void
}

/** What is kept of an artifact: all of it, or how far its download came. */
export interface KeptArtifact {
  readonly digest: string
  readonly bytes: number
}

/** The files of artifacts in the browser, by their digests. A file with fewer bytes than its artifact is its beginning. */
export interface ArtifactShelf {
  /** What is kept of an artifact; `null` for nothing. What is read of it fails once it was removed. */
  find(digest: string): Promise<File | null>
  /** Opens an artifact's file for writing, which one at a time can. */
  open(digest: string): Promise<WritableArtifact>
  /** Removes an artifact; what is not there is no error. Gives `false` where it is open for writing. */
  remove(digest: string): Promise<boolean>
  list(): Promise<readonly KeptArtifact[]>
}

/** The DOM's types have what windows have; this is there in workers only. */
interface WorkerFileHandle extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<WritableArtifact>
}

const folderName = 'isoplex-artifacts'
/** A worker that was ended takes a moment to let go of its file. */
const letGoTries = 20
const letGoPauseMs = 50

/** Opens the shelf in the origin's private file system; `null` where the browser has none for this page. */
export async function openArtifactShelf(): Promise<ArtifactShelf | null> {
  try {
    const root = await navigator.storage.getDirectory()
    const folder = await root.getDirectoryHandle(folderName, { create: true })
    return 'FileSystemSyncAccessHandle' in globalThis ? createShelf(folder) : null
  } catch {
    return null
  }
}

function createShelf(folder: FileSystemDirectoryHandle): ArtifactShelf {
  const find = async (digest: string): Promise<File | null> => {
    const handle = await orNone(folder.getFileHandle(digest))
    return handle === null ? null : orNone(handle.getFile())
  }
  return Object.freeze<ArtifactShelf>({
    find,
    async open(digest) {
      const handle = await folder.getFileHandle(digest, { create: true })
      return openHandle(handle as WorkerFileHandle, letGoTries)
    },
    async remove(digest) {
      try {
        await orNone(folder.removeEntry(digest))
        return true
      } catch (error) {
        if (isNamed(error, 'NoModificationAllowedError')) return false
        throw error
      }
    },
    async list() {
      // The folder itself may be gone by now: somebody has cleared all.
      const digests = (await orNone(Array.fromAsync(folder.keys()))) ?? []
      const files = await Promise.all(digests.map(find))
      return digests.map((digest, index) => ({ digest, bytes: files[index]?.size ?? 0 }))
    },
  })
}

async function openHandle(handle: WorkerFileHandle, tries: number): Promise<WritableArtifact> {
  try {
    return await handle.createSyncAccessHandle()
  } catch (error) {
    if (tries <= 1 || !isNamed(error, 'NoModificationAllowedError')) throw error
    await new Promise((resolve) => setTimeout(resolve, letGoPauseMs))
    return openHandle(handle, tries - 1)
  }
}

/** Whether the browser has failed with this. */
export function isNamed(error: unknown, name: string): boolean {
  return error instanceof DOMException && error.name === name
}

/** What is there; `null` where nothing is. */
async function orNone<Found>(finding: Promise<Found>): Promise<Found | null> {
  try {
    return await finding
  } catch (error) {
    if (isNamed(error, 'NotFoundError')) return null
    throw error
  }
}
