/** Bytes of a stream that may be under way before the receiver says that they were taken. */
export const streamWindowBytes = 256 * 1024

/** A stream's right to send: each byte takes one credit, and the receiver gives them back as it reads. */
export class StreamCredit {
  #available = streamWindowBytes
  #closed = false
  #wake: (() => void) | null = null

  /** Gives credit back: never more than a window is open, whatever the receiver says. */
  add(bytes: number): void {
    this.#available = Math.min(this.#available + bytes, streamWindowBytes)
    this.#wake?.()
  }

  /** Ends the wait for credit: the receiver has gone. */
  close(): void {
    this.#closed = true
    this.#wake?.()
  }

  /** Takes up to `wanted` bytes of credit as soon as there is any; 0 where the receiver has gone. */
  async take(wanted: number): Promise<number> {
    while (this.#available <= 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    if (this.#closed) return 0
    const taken = Math.min(wanted, this.#available)
    this.#available -= taken
    return taken
  }
}

/** Sends chunks no faster than credit comes. Resolves to whether the receiver took them all. */
export async function pumpStream(
  chunks: AsyncIterable<Uint8Array>,
  credit: StreamCredit,
  send: (piece: Uint8Array) => void,
): Promise<boolean> {
  for await (const chunk of chunks) {
    for (let offset = 0; offset < chunk.length; ) {
      const taken = await credit.take(chunk.length - offset)
      if (taken === 0) return false
      send(chunk.subarray(offset, offset + taken))
      offset += taken
    }
  }
  return true
}

/** The chunks of a stream until it ends or nobody wants more of it, whichever comes first; then the stream is ended. */
export async function* chunksUntil(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader()
  const leave = (): void => void reader.cancel().catch(() => undefined)
  signal.addEventListener('abort', leave)
  if (signal.aborted) leave()
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value
  } finally {
    signal.removeEventListener('abort', leave)
    leave()
  }
}
