import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { isArchive, loneModelName } from '../archive/artifact-form.ts'
import { readDirectory } from '../archive/directory.ts'
import { readEntry } from '../archive/entry-content.ts'
import type { ArchiveLimits } from '../archive/limits.ts'
import { type FileSource, openFileSource, readFileChunks, writeChunks } from './durable-file.ts'
import { countProgress, observe, type ProgressOptions } from './progress.ts'

/**
 * Refuses an artifact that could not be unpacked, as far as the directory of its archive tells.
 *
 * @throws {IsoplexError} `ARTIFACT_BROKEN` with the reason.
 */
export async function assertUnpackable(artifact: string, limits: ArchiveLimits): Promise<void> {
  if (await isArchiveFile(artifact)) await withSource(artifact, (source) => readDirectory(source, limits))
}

/** A file as it lies in an unpacked folder: its name below the folder, with slashes. */
export interface UnpackedFile {
  readonly name: string
  readonly sizeBytes: number
}

/**
 * Lists what unpacking an artifact brings about.
 *
 * @throws {IsoplexError} `ARTIFACT_BROKEN` with the reason.
 */
export async function listUnpackedFiles(
  artifact: string,
  limits: ArchiveLimits,
): Promise<readonly UnpackedFile[]> {
  if (await isArchiveFile(artifact)) return withSource(artifact, (source) => readDirectory(source, limits))
  return [{ name: loneModelName, sizeBytes: Bun.file(artifact).size }]
}

/**
 * Unpacks an artifact into a new folder: the files of a zip archive, or a lone model as `model.onnx`. If it fails,
 * and after a power failure, the folder is not whole.
 *
 * @throws {IsoplexError} `ARTIFACT_BROKEN` with the reason.
 */
export async function unpackArtifact(
  artifact: string,
  folder: string,
  options: ProgressOptions & { readonly limits: ArchiveLimits },
): Promise<void> {
  await mkdir(folder)
  if (await isArchiveFile(artifact)) {
    await withSource(artifact, (source) => unpackArchive(source, folder, options))
  } else {
    const count = countProgress(Bun.file(artifact).size, options)
    await writeChunks(join(folder, loneModelName), observe(readFileChunks(artifact), count))
  }
}

async function unpackArchive(
  source: FileSource,
  folder: string,
  options: ProgressOptions & { readonly limits: ArchiveLimits },
): Promise<void> {
  const entries = await readDirectory(source, options.limits)
  const count = countProgress(
    entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    options,
  )
  for (const entry of entries) {
    const path = join(folder, ...entry.name.split('/'))
    await mkdir(dirname(path), { recursive: true })
    await writeChunks(path, observe(readEntry(source, entry, { sumUp: crc32 }), count))
  }
}

async function isArchiveFile(path: string): Promise<boolean> {
  const handle = await open(path, 'r')
  try {
    const { bytesRead, buffer } = await handle.read(new Uint8Array(2), 0, 2, 0)
    return isArchive(buffer.subarray(0, bytesRead))
  } finally {
    await handle.close()
  }
}

async function withSource<Result>(
  path: string,
  work: (source: FileSource) => Promise<Result>,
): Promise<Result> {
  const source = await openFileSource(path)
  try {
    return await work(source)
  } finally {
    await source.close()
  }
}
