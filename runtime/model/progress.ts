/** How far a long operation has come. */
export interface Progress {
  readonly doneBytes: number
  readonly totalBytes: number
}

/** What long operations take. */
export interface ProgressOptions {
  /** Hears how far it has come, about once a megabyte. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** Makes a counter that adds up chunks and tells. */
export function countProgress(
  totalBytes: number,
  { onProgress }: ProgressOptions,
): (chunk: Uint8Array) => void {
  let countedBytes = 0
  return (chunk) => {
    countedBytes += chunk.length
    // The headers of an archive come on top of the files that the total was made of.
    onProgress?.({ doneBytes: Math.min(countedBytes, totalBytes), totalBytes })
  }
}

/** Passes chunks on, each once it was heard. */
export async function* observe(
  chunks: AsyncIterable<Uint8Array>,
  hear: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    hear(chunk)
    yield chunk
  }
}
