import type { ReplyReading } from '../../runtime/runner/reply-bytes.ts'

/** Who reads replies in tests: nobody in a hurry, unless a test says otherwise. */
export function readingOf(facts: Partial<ReplyReading> = {}): ReplyReading {
  return { requestId: 'r-1', signal: new AbortController().signal, maxBytes: 1_000_000, ...facts }
}

/** A body that comes in these chunks. */
export function bodyOf(...chunks: readonly (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return streamOf(chunks.map((chunk) => (typeof chunk === 'string' ? encoder.encode(chunk) : chunk)))
}

/** A stream of what these chunks give, no sooner than it is read. */
export function streamOf(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): ReadableStream<Uint8Array> {
  const left = (async function* () {
    yield* chunks
  })()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await left.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: async () => {
      await left.return()
    },
  })
}

/** All items of a stream. */
export async function itemsOf<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}
