import { IsoplexError } from '../error/error.ts'
import { fromWire, type WireError } from '../error/wire.ts'
import { AnswerStream } from '../runner/answer-stream.ts'
import { jsonReplyHead, type ReplyHead } from '../runner/head.ts'
import { decodeHead, decodeJson, type Frame, frameFlags, frameKinds } from './frame.ts'
import type { RunnerLink } from './runner-link.ts'
import type { SentRequest } from './sent-request.ts'
import type { Answer } from './ticket.ts'

/**
 * Hands what a runner sent to whoever waits for it. Frames about requests that it has not in hand are left
 * aside. `left` is called when somebody stops reading a stream before its end.
 */
export function deliver(
  link: RunnerLink,
  { kind, id, flags, payload, tookUs }: Frame,
  left: (link: RunnerLink, id: number) => void,
): void {
  const sent = link.sent.get(id)
  if (!sent) return
  if (kind === frameKinds.streamChunk) sent.stream?.push(payload)
  else if (kind === frameKinds.streamStart) {
    sent.stream = new AnswerStream(
      (bytes) => link.credit(id, bytes),
      () => left(link, id),
    )
    noteTiming(link, sent, tookUs)
    const { status, headers } = decodeJson<ReplyHead>(payload)
    sent.ticket.answer({ status, headers, body: sent.stream.readable })
  } else {
    link.close(id, performance.now())
    if (!sent.stream) {
      noteTiming(link, sent, tookUs)
      // All of a batch took as long; it counts once.
      if (sent.batch.open === 0) link.queue.tally.computed(tookUs / 1_000)
    }
    if (kind === frameKinds.reply) sent.ticket.answer(wholeAnswer(flags, payload))
    else if (kind === frameKinds.refusal) {
      sent.ticket.fail(fromWire(decodeJson<WireError>(payload)))
    } else if (kind === frameKinds.streamEnd) {
      sent.stream?.end(flags & frameFlags.streamBroken ? new Error('The stream broke off.') : undefined)
    }
  }
}

function noteTiming({ computedBy }: RunnerLink, { ticket: { timing } }: SentRequest, tookUs: number): void {
  timing.computeMs = tookUs / 1_000
  timing.computedBy = computedBy
}

function wholeAnswer(flags: number, payload: Uint8Array<ArrayBuffer>): Answer {
  if (flags & frameFlags.json) return { status: 200, headers: jsonReplyHead.headers, body: payload }
  const { head, body } = decodeHead<ReplyHead>(payload)
  return { status: head.status, headers: head.headers, body }
}

/** Tells whoever waits that the runner died: a stream that has begun cannot be run again. */
export function breakStream({ stream }: SentRequest): void {
  stream?.end(
    new IsoplexError(
      'REPLICA_CRASHED',
      'The replica died in the middle of this stream; send the request again.',
    ),
  )
}
