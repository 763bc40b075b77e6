import type { IncomingMessage } from 'node:http'
import { isIsoplexError } from '../error/error.ts'
import type { Lifetime } from './lifetime.ts'
import { fetchFailed } from './refusal.ts'

/** What reading a reply needs to know. */
export interface ReplyBytesOptions {
  /** For messages. */
  readonly host: string
  readonly idleTimeoutMs: number
  /** Ended with the reading, however that ends. */
  readonly life: Lifetime
}

/**
 * The bytes of a reply's body as they come. The idle time counts while somebody waits for bytes, so that a slow
 * reader is no slow server. A reader that stops early frees the connection.
 *
 * @throws {IsoplexError} `FETCH_FAILED`: `cut-off`, `timeout` or `encoding`; else the reason of the life's signal.
 */
export async function* bytesOfReply(
  reply: IncomingMessage,
  { host, idleTimeoutMs, life }: ReplyBytesOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    life.signal.throwIfAborted()
    refuseEncoding(reply, host)
    const chunks: AsyncIterator<Buffer> = reply[Symbol.asyncIterator]()
    for (;;) {
      life.within(idleTimeoutMs, `The server "${host}" stopped sending in the middle of its reply.`)
      const { done, value } = await chunks.next()
      life.inTime()
      // A reply that was destroyed by us ends as if it were whole.
      life.signal.throwIfAborted()
      if (done) break
      yield value
    }
    if (!reply.complete) throw new Error('The reply is not complete.')
  } catch (error) {
    if (life.signal.aborted) throw life.signal.reason
    if (isIsoplexError(error)) throw error
    throw fetchFailed('cut-off', `The server "${host}" broke off in the middle of its reply.`, error)
  } finally {
    life.end()
  }
}

/** Neither coding was asked for; what is packed stays packed, whoever sends it. */
function refuseEncoding({ headers }: IncomingMessage, host: string): void {
  const content = headers['content-encoding'] ?? 'identity'
  const transfer = headers['transfer-encoding'] ?? 'chunked'
  if (content.toLowerCase() === 'identity' && transfer.toLowerCase() === 'chunked') return
  throw fetchFailed(
    'encoding',
    `The server "${host}" sends its reply compressed although that was not asked for.`,
  )
}
