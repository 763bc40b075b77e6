import { describe, expect, it } from 'vitest'
import { functionReply, type ReplyOptions } from '../../runtime/server/function-reply.ts'
import { answerWith } from './served.ts'

interface EndlessStream {
  readonly stream: ReadableStream<Uint8Array>
  /** How many pieces were made. */
  made(): number
  cancelled(): boolean
}

/** A stream that goes on until it is cancelled. */
function endless(): EndlessStream {
  let made = 0
  let cancelled = false
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      made += 1
      controller.enqueue(new Uint8Array(10))
    },
    cancel() {
      cancelled = true
    },
  })
  return { stream, made: () => made, cancelled: () => cancelled }
}

/** What a reply is made with, and how often its answer came to an end. */
function options(overrides: Partial<ReplyOptions> = {}): ReplyOptions & { ends(): number } {
  let ends = 0
  return {
    method: 'GET',
    requestId: 'id-1',
    timing: { queueMs: 1.234, computeMs: 0, batchSize: 1, computedBy: null },
    closing: false,
    onEnd() {
      ends += 1
    },
    ends: () => ends,
    ...overrides,
  }
}

describe('functionReply', () => {
  it('has the headers of the function, but for those of the connection and the request id', async () => {
    const headers = [
      ['x-own', 'kept'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['content-length', '999'],
      ['connection', 'upgrade'],
      ['keep-alive', 'timeout=9'],
      ['transfer-encoding', 'gzip'],
      ['upgrade', 'h2c'],
      ['x-request-id', 'another'],
      ['server-timing', 'db;dur=5'],
    ] as const
    const reply = functionReply(answerWith('ok', 299, headers)(), options())
    expect(reply.status).toBe(299)
    expect([...reply.headers].toSorted()).toEqual([
      ['server-timing', 'db;dur=5, queue;dur=1.23, infer;dur=0'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['x-own', 'kept'],
      ['x-request-id', 'id-1'],
    ])
    expect(await reply.text()).toBe('ok')
  })

  it('closes the connection where it is to be closed', () => {
    const reply = functionReply(answerWith('ok')(), options({ closing: true }))
    expect(reply.headers.get('connection')).toBe('close')
  })

  it('ends at once where it is whole', () => {
    const facts = options()
    functionReply(answerWith('ok')(), facts)
    expect(facts.ends()).toBe(1)
  })

  it('ends with its stream', async () => {
    const facts = options()
    const reply = functionReply(answerWith(new Blob(['a', 'b']).stream())(), facts)
    expect(reply.headers.has('connection')).toBe(false)
    expect(facts.ends()).toBe(0)
    expect(await reply.text()).toBe('ab')
    expect(facts.ends()).toBe(1)
  })

  it('makes no more of a stream than is read, and lets go of it with its reader', async () => {
    const { stream, made, cancelled } = endless()
    const facts = options()
    const reader = functionReply(answerWith(stream)(), facts).body?.getReader()
    await reader?.read()
    await reader?.read()
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    expect(made()).toBeLessThan(5)
    await reader?.cancel()
    expect(cancelled()).toBe(true)
    expect(facts.ends()).toBe(0)
  })

  it('breaks off where its stream does, after what came before', async () => {
    let pulls = 0
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulls += 1
        if (pulls === 1) controller.enqueue(new Uint8Array([1]))
        else throw new Error('broken')
      },
    })
    const facts = options()
    const reader = functionReply(answerWith(stream)(), facts).body?.getReader()
    expect(await reader?.read()).toEqual({ done: false, value: new Uint8Array([1]) })
    await expect(reader?.read()).rejects.toThrow('broken')
    expect(facts.ends()).toBe(0)
  })

  it.each([204, 205, 304])('has no body with the status %i, and lets go who makes one', (status) => {
    const { stream, cancelled } = endless()
    const facts = options()
    for (const body of [stream, 'text']) {
      const reply = functionReply(answerWith(body, status)(), facts)
      expect(reply.status).toBe(status)
      expect(reply.body).toBeNull()
      expect(reply.headers.has('transfer-encoding')).toBe(false)
    }
    expect(cancelled()).toBe(true)
    expect(facts.ends()).toBe(2)
  })

  it('to HEAD has no stream, says how it would have come, and lets go who makes it', () => {
    const { stream, cancelled } = endless()
    const facts = options({ method: 'HEAD' })
    const reply = functionReply(answerWith(stream)(), facts)
    expect(reply.body).toBeNull()
    expect(reply.headers.get('transfer-encoding')).toBe('chunked')
    expect(cancelled()).toBe(true)
    expect(facts.ends()).toBe(1)
  })

  it('to HEAD leaves what is whole to the server, which counts it', async () => {
    const reply = functionReply(answerWith('four')(), options({ method: 'HEAD' }))
    expect(await reply.text()).toBe('four')
  })

  it.each([0, 100, 101])('is none with the status %i, and lets go who makes a body', (status) => {
    const { stream, cancelled } = endless()
    expect(() => functionReply(answerWith(stream, status)(), options())).toThrow(RangeError)
    expect(cancelled()).toBe(true)
  })
})
