import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { defineFunction } from '../../runtime/define/function.ts'
import { defineInference } from '../../runtime/define/inference.ts'
import { multiplexed } from '../../runtime/define/model.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { toWire } from '../../runtime/error/wire.ts'
import { encodeHead, encodeJson, frameFlags, frameKinds } from '../../runtime/replica/frame.ts'
import { type LoneRunner, startLone, turns } from './lone-runner.ts'

const callee = defineInference({ input: Type.Any(), model: multiplexed(() => null), infer: (input) => input })
const nameOf = (fn: unknown): string | null => (fn === callee ? 'callee' : null)

/** A runner whose function has `callee` answer what it is sent. */
function startCalling(concurrency = 1): Promise<LoneRunner> {
  const calling = defineFunction({
    input: Type.Any(),
    async handler({ input, handle }) {
      const answer = await handle(callee).infer(input)
      if (typeof answer !== 'object' || answer === null || !(Symbol.asyncIterator in answer)) return answer
      const items: unknown[] = []
      for await (const item of answer as AsyncIterable<unknown>) items.push(item)
      return items
    },
  })
  return startLone(calling, { nameOf, concurrency })
}

const sent = async (lone: LoneRunner, count: number): Promise<void> =>
  lone.until(() => lone.calls.length === count)
const jsonHead = { status: 200, headers: [['content-type', 'application/x-ndjson']] }

describe('a call', () => {
  it('goes out with its input, and its answer comes back', async () => {
    const lone = await startCalling()
    lone.batch({ 7: { a: 1 } })
    await sent(lone, 1)
    const [call] = lone.calls
    expect(call).toMatchObject({
      head: { parent: 7, function: 'callee', model: null, contentType: 'application/json' },
    })
    expect(new TextDecoder().decode(call?.body)).toBe('{"a":1}')
    lone.answerCall(frameKinds.callReply, call?.id ?? 0, frameFlags.json, [encodeJson({ b: 2 })])
    expect(await lone.value(7)).toEqual({ b: 2 })
  })

  it('fails with the error that answers it', async () => {
    const lone = await startCalling()
    lone.batch({ 1: 1 })
    await sent(lone, 1)
    const error = new IsoplexError('MODEL_FORBIDDEN', 'Not yours.', { details: { model: 'm' } })
    lone.answerCall(frameKinds.callRefusal, lone.calls[0]?.id ?? 0, 0, [encodeJson(toWire(error))])
    expect((await lone.ended(1)).error).toMatchObject({ code: 'MODEL_FORBIDDEN', message: 'Not yours.' })
  })

  it('makes room for another batch while it is under way', async () => {
    const lone = await startCalling()
    for (const id of [1, 2, 3]) lone.batch({ [id]: id })
    await sent(lone, 3)
    for (const { id, head } of lone.calls.toReversed()) {
      lone.answerCall(frameKinds.callReply, id, frameFlags.json, [encodeJson(head.parent)])
    }
    expect(await Promise.all([1, 2, 3].map((id) => lone.value(id)))).toEqual([1, 2, 3])
  })

  it('is cancelled with its request, and what comes for it then is left aside', async () => {
    const lone = await startCalling()
    lone.batch({ 1: 1 })
    await sent(lone, 1)
    lone.cancel(1)
    await lone.ended(1)
    expect(lone.calls[0]?.cancelled).toBe(true)
    lone.answerCall(frameKinds.callReply, lone.calls[0]?.id ?? 0, frameFlags.json, [encodeJson(1)])
    lone.answerCall(frameKinds.callReply, 99, frameFlags.json, [encodeJson(1)])
    lone.batch({ 2: 2 })
    await sent(lone, 2)
  })
})

describe('a stream that answers a call', () => {
  const startStream = async (): Promise<{ lone: LoneRunner; id: number }> => {
    const lone = await startCalling()
    lone.batch({ 1: 1 })
    await sent(lone, 1)
    const id = lone.calls[0]?.id ?? 0
    lone.answerCall(frameKinds.callStreamStart, id, 0, [encodeJson(jsonHead)])
    return { lone, id }
  }
  const line = (text: string): Uint8Array => new TextEncoder().encode(`"${text}"\n`)

  it('is read piece by piece, and credit goes back for what was read', async () => {
    const { lone, id } = await startStream()
    const long = 'x'.repeat(100_000)
    for (const text of [long, 'b']) lone.answerCall(frameKinds.callStreamChunk, id, 0, [line(text)])
    await lone.until(() => (lone.calls[0]?.creditBytes ?? 0) >= 100_000)
    lone.answerCall(frameKinds.callStreamEnd, id, 0, [])
    expect(await lone.value(1)).toEqual([long, 'b'])
    expect(lone.calls[0]?.cancelled).toBe(false)
  })

  it('that breaks off fails the call', async () => {
    const { lone, id } = await startStream()
    lone.answerCall(frameKinds.callStreamChunk, id, 0, [line('a')])
    lone.answerCall(frameKinds.callStreamEnd, id, frameFlags.streamBroken, [])
    expect((await lone.ended(1)).error).toMatchObject({ code: 'FETCH_FAILED' })
  })

  it('ends with the request', async () => {
    const { lone, id } = await startStream()
    lone.answerCall(frameKinds.callStreamChunk, id, 0, [line('a')])
    await turns()
    lone.cancel(1)
    await lone.ended(1)
    expect(lone.calls[0]?.cancelled).toBe(true)
    lone.answerCall(frameKinds.callStreamChunk, id, 0, [line('b')])
  })
})

it('reads an answer of other forms by its head', async () => {
  const lone = await startCalling()
  lone.batch({ 1: 1 })
  await sent(lone, 1)
  const head = { status: 204, headers: [] }
  lone.answerCall(frameKinds.callReply, lone.calls[0]?.id ?? 0, 0, encodeHead(head))
  expect(await lone.ended(1)).toMatchObject({ head: { status: 204 }, end: 'reply' })
})
