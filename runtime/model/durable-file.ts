import { open } from 'node:fs/promises'
import type { ByteSource } from '../archive/byte-source.ts'

const chunkBytes = 1_048_576

/** A file as a source of bytes, open until it is closed. */
export interface FileSource extends ByteSource {
  close(): Promise<void>
}

/** Opens a file to be read anywhere. */
export async function openFileSource(path: string): Promise<FileSource> {
  const handle = await open(path, 'r')
  const { size } = await handle.stat()
  return Object.freeze({
    sizeBytes: size,
    async read(offset: number, length: number) {
      const bytes = new Uint8Array(length)
      let done = 0
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, offset + done)
        if (bytesRead === 0) break
        done += bytesRead
      }
      return bytes.subarray(0, done)
    },
    close: () => handle.close(),
  })
}

/** Reads a file from its beginning to its end. A chunk holds until the next is asked for. */
export async function* readFileChunks(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const handle = await open(path, 'r')
  try {
    const buffer = new Uint8Array(chunkBytes)
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

/** Writes a new file and returns once its bytes would outlive a power failure. */
export async function writeDurably(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  await writeChunks(path, chunks)
  await syncFile(path)
}

/** Writes a new file. After a power failure it may be there without its bytes. */
export async function writeChunks(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const handle = await open(path, 'wx')
  try {
    for await (const chunk of chunks) {
      // A disk that fills up may take a part and say so only when the rest is written.
      for (let done = 0; done < chunk.length; ) {
        const { bytesWritten } = await handle.write(chunk, done, chunk.length - done)
        done += bytesWritten
      }
    }
  } finally {
    await handle.close()
  }
}

/** Makes the bytes of a file outlive a power failure. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes the names in a folder outlive a power failure. Windows has no such call, and needs none. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
