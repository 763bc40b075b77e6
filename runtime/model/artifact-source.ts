import { stat } from 'node:fs/promises'
import { type StoredFile, writeStoredArchive } from '../archive/stored-archive.ts'
import { IsoplexError } from '../error/error.ts'
import { readFileChunks } from './durable-file.ts'
import { listModelFiles } from './model-files.ts'
import { hasCode } from './storage-error.ts'

/** What becomes an artifact: its bytes, and about how many they will be. */
export interface ArtifactSource {
  readonly totalBytes: number
  read(): AsyncIterable<Uint8Array>
}

/**
 * Opens what a model is made of: a file is taken as it is, a folder is packed as a stored zip archive that is
 * the same for the same files.
 *
 * @throws {IsoplexError} `INPUT_INVALID` where there is nothing to take, `ARTIFACT_BROKEN` where a folder holds
 * what an archive cannot.
 */
export async function openArtifactSource(path: string): Promise<ArtifactSource> {
  const facts = await stat(path).catch((error: unknown) => {
    throw hasCode(error, 'ENOENT', 'ENOTDIR') ? unusable(path, 'does not exist') : error
  })
  if (facts.isDirectory()) return openFolder(path)
  if (!facts.isFile()) throw unusable(path, 'is neither a file nor a folder')
  if (facts.size === 0) throw unusable(path, 'is empty')
  return { totalBytes: facts.size, read: () => readFileChunks(path) }
}

async function openFolder(path: string): Promise<ArtifactSource> {
  const files = await listModelFiles(path)
  if (files.length === 0) throw unusable(path, 'holds no file of a model')
  const stored = files.map(
    (file): StoredFile => ({
      name: file.name,
      sizeBytes: file.sizeBytes,
      read: () => readFileChunks(file.path),
    }),
  )
  return {
    totalBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    read: () => writeStoredArchive(stored),
  }
}

function unusable(path: string, words: string): Error {
  const message = `${JSON.stringify(path)} ${words}; name an .onnx file, a zip archive, or a folder that holds the model.`
  return new IsoplexError('INPUT_INVALID', message, {
    details: { issues: [{ path: '/source', message: words }] },
  })
}
