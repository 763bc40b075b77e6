import { toWire } from '../error/wire.ts'
import { jsonReplyHead } from '../runner/head.ts'
import type { OpenRequest, ReplySink } from '../runner/open-request.ts'
import { encodeHead, encodeJson, type FrameKind, frameFlags, frameKinds } from './frame.ts'
import type { PayloadPart } from './frame-writer.ts'

/** Sends a frame about a request. */
export type FrameSend = (
  kind: FrameKind,
  id: number,
  flags: number,
  payload: readonly PayloadPart[],
  tookUs: number,
) => void

/** The longest time that a frame can say. */
const mostTookUs = 0xffff_ffff

/** Makes what sends a runner's answers to the gateway. */
export function createFrameSink(send: FrameSend): ReplySink {
  const about = (
    { id, tookUs }: OpenRequest,
    kind: FrameKind,
    flags: number,
    payload: readonly PayloadPart[],
  ): void => send(kind, id, flags, payload, Math.min(Math.round(tookUs), mostTookUs))
  return {
    reply(request, head, body) {
      if (head === jsonReplyHead) about(request, frameKinds.reply, frameFlags.json, [body])
      else about(request, frameKinds.reply, 0, [...encodeHead(head), body])
    },
    refuse: (request, error) => about(request, frameKinds.refusal, 0, [encodeJson(toWire(error))]),
    startStream: (request, head) => about(request, frameKinds.streamStart, 0, [encodeJson(head)]),
    streamChunk: (request, piece) => about(request, frameKinds.streamChunk, 0, [piece]),
    endStream: (request, broken) =>
      about(request, frameKinds.streamEnd, broken ? frameFlags.streamBroken : 0, []),
  }
}
