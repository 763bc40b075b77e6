import { concat } from './form-parts.ts'

/**
 * Reads the body of a reply; `null`, and not to its end, where it is larger. What breaks off fails as the platform has
 * it.
 */
export async function bytesWithin(
  { body }: { readonly body: ReadableStream<Uint8Array> | null },
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const pieces: Uint8Array[] = []
  let length = 0
  const reader = body?.getReader()
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    length += read.value.length
    if (length > maxBytes) {
      // What was not read is not waited for.
      reader?.cancel().catch(() => undefined)
      return null
    }
    pieces.push(read.value)
  }
  return concat(pieces)
}

/** What a reply says in JSON; `undefined` where it is none, or larger. What breaks off fails as the platform has it. */
export async function jsonWithin(reply: Pick<Response, 'body'>, maxBytes: number): Promise<unknown> {
  const bytes = await bytesWithin(reply, maxBytes)
  try {
    return bytes === null ? undefined : JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}
