import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ArchiveLimits } from '../archive/limits.ts'
import { listUnpackedFiles, type UnpackedFile } from './artifact-files.ts'
import { readFileChunks } from './durable-file.ts'
import { hasCode } from './storage-error.ts'
import { isDigest, type StoreFolder } from './store-folder.ts'

/** Something in a store that is not as it was when it was put there. Plain data. */
export interface BrokenArtifact {
  readonly digest: string
  /** Whether the artifact itself is broken, or only its unpacked folder, which can be unpacked again. */
  readonly part: 'artifact' | 'unpacked'
  /** A file of the unpacked folder that is missing, too many, or of another size; `null` for the artifact. */
  readonly file: string | null
}

/** Reads everything in a store and compares it: artifacts with their digests, and folders with their artifacts. */
export async function verifyStore(
  folder: StoreFolder,
  limits: ArchiveLimits,
): Promise<readonly BrokenArtifact[]> {
  const broken: BrokenArtifact[] = []
  for (const digest of (await readdir(folder.artifacts)).filter(isDigest)) {
    const found = await verifyArtifact(folder, digest, limits)
    if (found !== null) broken.push(Object.freeze(found))
  }
  return Object.freeze(broken)
}

async function verifyArtifact(
  folder: StoreFolder,
  digest: string,
  limits: ArchiveLimits,
): Promise<BrokenArtifact | null> {
  const path = folder.artifactPath(digest)
  try {
    if ((await digestOf(path)) !== digest) return { digest, part: 'artifact', file: null }
    const there = await listFolder(folder.unpackedPath(digest))
    if (there === null) return null
    const file = differenceOf(await listUnpackedFiles(path, limits), there)
    return file === null ? null : { digest, part: 'unpacked', file }
  } catch (error) {
    // Removed by somebody in the meantime.
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = new Bun.CryptoHasher('sha256')
  for await (const chunk of readFileChunks(path)) hash.update(chunk)
  return hash.digest('hex')
}

async function listFolder(path: string): Promise<readonly UnpackedFile[] | null> {
  try {
    const entries = await readdir(path, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => !entry.isDirectory())
    return await Promise.all(
      files.map(async ({ parentPath, name }) => {
        const file = join(parentPath, name)
        const inside = file.slice(path.length + 1).replaceAll('\\', '/')
        return { name: inside, sizeBytes: (await stat(file)).size }
      }),
    )
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

/** The first file that is in one list only, or in the other with another size. */
function differenceOf(wanted: readonly UnpackedFile[], there: readonly UnpackedFile[]): string | null {
  const sizes = new Map(there.map(({ name, sizeBytes }) => [name, sizeBytes]))
  for (const { name, sizeBytes } of wanted) {
    if (sizes.get(name) !== sizeBytes) return name
    sizes.delete(name)
  }
  return sizes.keys().next().value ?? null
}
