import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, rm, stat, utimes } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createBrotliCompress, createBrotliDecompress, createGunzip, createGzip } from 'node:zlib'
import { longestWriteMs, partialSuffix, place } from '../atomic-file.ts'
import { hashStream } from '../content-hash.ts'
import { hashOfFileName } from './file-name.ts'

/** How a file for pages may be sent compressed, by the names of RFC 9110; the smaller first. */
export type Encoding = 'br' | 'gzip'

/** What a compressed file's name ends with. */
const encodingSuffixes: Readonly<Record<Encoding, string>> = Object.freeze({ br: '.br', gzip: '.gz' })

/** A file and where it is to be compressed. */
export interface CompressionTask {
  readonly source: string
  readonly target: string
  readonly encoding: Encoding
}

const longestUnusedMs = 30 * 24 * 3_600_000

/** Whether compressing a file is worth it: text and wasm of more than a network packet. */
function isCompressible(name: string, sizeBytes: number): boolean {
  return sizeBytes > 1_400 && /\.(?:js|mjs|css|wasm|json)$/.test(name)
}

/**
 * Compresses a file as small as its encoding allows; the target is there whole or not at all. Brotli at its best takes
 * about two seconds for each megabyte.
 *
 * @param onBytes is told how many bytes were read, each time some were
 */
export async function compressFile(task: CompressionTask, onBytes: (bytes: number) => void): Promise<void> {
  const { source, target, encoding } = task
  const { size } = await stat(source)
  const counted = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      yield chunk
      onBytes(chunk.length)
    }
  }
  await place(target, async (partial) => {
    const reading = createReadStream(source, { highWaterMark: 256 * 1024 })
    await pipeline(reading, counted, compressor(encoding, size), createWriteStream(partial))
  })
}

/** The hash of what a compressed file holds, as {@link hashFile} gives it of a plain one; `null` where it is not whole. */
export async function hashCompressed(path: string, encoding: Encoding): Promise<string | null> {
  try {
    return await pipeline(
      createReadStream(path),
      encoding === 'br' ? createBrotliDecompress() : createGunzip(),
      hashStream,
    )
  } catch {
    return null
  }
}

function compressor(encoding: Encoding, sizeBytes: number): Transform {
  if (encoding === 'gzip') return createGzip({ level: constants.Z_BEST_COMPRESSION })
  return createBrotliCompress({
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      // The largest that a decoder of the content coding has to take (RFC 7932, section 9.1).
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: sizeBytes,
    },
  })
}

/** Where the compressed forms of a file lie in a folder. */
export function compressedPaths(directory: string, name: string): Readonly<Record<Encoding, string>> {
  const path = join(directory, name)
  return { br: path + encodingSuffixes.br, gzip: path + encodingSuffixes.gzip }
}

/** Whether a file lies compressed already, whole and of what its name tells; it then counts as used now. */
export async function isCompressed({ source, target, encoding }: CompressionTask): Promise<boolean> {
  const hash = hashOfFileName(basename(source))
  if (hash === null || (await hashCompressed(target, encoding)) !== hash) return false
  const now = new Date()
  await utimes(target, now, now)
  return true
}

/** What is to be done so that files lie compressed in a folder: those not worth it are left out. */
export async function compressionTasks(
  files: readonly { readonly name: string; readonly path: string }[],
  directory: string,
): Promise<readonly CompressionTask[]> {
  const tasks = files.map(async ({ name, path: source }) => {
    const facts = await stat(source)
    if (!isCompressible(name, facts.size)) return []
    const { gzip, br } = compressedPaths(directory, name)
    return [
      { source, target: gzip, encoding: 'gzip' },
      { source, target: br, encoding: 'br' },
    ] as const
  })
  return (await Promise.all(tasks)).flat()
}

/** Removes from a folder of compressed files what nobody has used for a month, and what was left half-written. */
export async function pruneCompressed(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => [])
  for (const name of names) {
    const path = join(directory, name)
    const facts = await stat(path).catch(() => null)
    const longestMs = name.endsWith(partialSuffix) ? longestWriteMs : longestUnusedMs
    if (facts && Date.now() - facts.mtimeMs > longestMs) await rm(path, { force: true })
  }
}
