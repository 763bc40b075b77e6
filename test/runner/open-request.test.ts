import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { defineFunction } from '../../runtime/define/function.ts'
import { defineInference } from '../../runtime/define/inference.ts'
import { multiplexed } from '../../runtime/define/model.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { streamWindowBytes } from '../../runtime/runner/stream.ts'
import { startLone, turns } from '../replica/lone-runner.ts'

describe('what a function throws', () => {
  it.each([
    ['an error', new Error('secret'), 'INTERNAL', 1],
    ['a text', 'secret', 'INTERNAL', 1],
    ['nothing', undefined, 'INTERNAL', 1],
    ['an error for the caller', new IsoplexError('REQUEST_MALFORMED', 'No.'), 'REQUEST_MALFORMED', 0],
    ['an error of the server', new IsoplexError('STORAGE_FULL', 'Full.'), 'STORAGE_FULL', 1],
  ])('is told and logged as it should: %s', async (_, thrown, code, lines) => {
    const lone = await startLone(
      defineFunction({
        handler: (): never => {
          throw thrown
        },
      }),
    )
    lone.batch({ 1: undefined })
    const { error } = await lone.ended(1)
    expect(error?.code).toBe(code)
    expect(JSON.stringify(error)).not.toContain('secret')
    expect(lone.lines).toHaveLength(lines)
  })

  it('may be a result that cannot be written', async () => {
    const lone = await startLone(defineFunction({ handler: () => ({ id: 5n }) }))
    lone.batch({ 1: undefined })
    expect((await lone.ended(1)).error?.code).toBe('INTERNAL')
    expect(lone.lines).toHaveLength(1)
  })
})

describe('a cancelled request', () => {
  it('has its signal fired, with a reason as of an abort', async () => {
    const signals: AbortSignal[] = []
    const lone = await startLone(
      defineFunction({
        handler: ({ signal }) => {
          signals.push(signal)
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        },
      }),
    )
    lone.batch({ 1: undefined })
    await turns()
    expect(signals[0]?.aborted).toBe(false)
    lone.cancel(1)
    await lone.ended(1)
    expect(signals[0]?.reason).toMatchObject({ name: 'AbortError' })
    // Nobody failed: the caller left.
    expect(lone.lines).toEqual([])
  })
})

describe('a stream', () => {
  it('is sent item by item, with its head before it', async () => {
    const lone = await startLone(
      defineFunction({
        async *handler() {
          yield 1
          yield 2
        },
      }),
    )
    lone.batch({ 1: undefined })
    const { head, text, end } = await lone.ended(1)
    expect(head?.headers).toContainEqual(['content-type', 'application/x-ndjson'])
    expect(text).toBe('1\n2\n')
    expect(end).toBe('stream')
  })

  it('goes no further than the window without credit, and on with it', async () => {
    const line = `${JSON.stringify('x'.repeat(997))}\n`
    let made = 0
    const lone = await startLone(
      defineFunction({
        async *handler() {
          for (; made < 1_000; made += 1) yield 'x'.repeat(997)
        },
      }),
    )
    lone.batch({ 1: undefined })
    await lone.until(() => lone.answer(1).text.length >= streamWindowBytes)
    await turns()
    expect(lone.answer(1).text.length).toBe(streamWindowBytes)
    expect(made).toBe(Math.floor(streamWindowBytes / line.length))
    lone.credit(1, 10)
    await lone.until(() => lone.answer(1).text.length >= streamWindowBytes + 10)
    await turns()
    expect(lone.answer(1).text.length).toBe(streamWindowBytes + 10)
    for (let given = lone.answer(1).text.length; given < 1_000 * line.length; given += streamWindowBytes) {
      // More than a window is never open, whatever the receiver says.
      lone.credit(1, 10_000_000)
      const due = Math.min(given + streamWindowBytes, 1_000 * line.length)
      await lone.until(() => lone.answer(1).text.length >= due)
      await turns()
      expect(lone.answer(1).text.length).toBe(due)
    }
    const { text, end } = await lone.ended(1)
    expect(end).toBe('stream')
    expect(text).toBe(line.repeat(1_000))
  })

  it('is broken off and its function ended when its reader has gone', async () => {
    let ended = false
    const lone = await startLone(
      defineFunction({
        async *handler() {
          try {
            for (;;) yield 'x'.repeat(100_000)
          } finally {
            ended = true
          }
        },
      }),
    )
    lone.batch({ 1: undefined })
    await lone.until(() => lone.answer(1).text.length === streamWindowBytes)
    lone.cancel(1)
    expect((await lone.ended(1)).end).toBe('broken')
    expect(ended).toBe(true)
    expect(lone.lines).toEqual([])
  })

  it('that fails says so in a last item, and in the log', async () => {
    const lone = await startLone(
      defineFunction({
        async *handler() {
          yield 1
          throw new Error('password is hunter2')
        },
      }),
    )
    lone.batch({ 1: undefined })
    const { text, end } = await lone.ended(1)
    expect(end).toBe('stream')
    expect(text).toMatch(/^1\n\{"error":\{"code":"INTERNAL","message":"[^\n]*"\}\}\n$/)
    expect(text).not.toContain('hunter2')
    expect(lone.lines).toMatchObject([{ level: 'error', fields: { requestId: 'request-1' } }])
  })

  it('with an item that the schema refuses says where', async () => {
    const lone = await startLone(
      defineFunction({
        output: Type.Object({ n: Type.Integer() }),
        async *handler() {
          yield { n: 1 }
          yield { n: 1.5 }
        },
      }),
    )
    lone.batch({ 1: undefined }, { accept: 'text/event-stream' })
    const { text } = await lone.ended(1)
    const [item, last] = text.split('\n\n')
    expect(item).toBe('data: {"n":1}')
    expect(last).toMatch(/^event: error\ndata: /)
    expect(JSON.parse(last?.split('data: ')[1] ?? '')).toMatchObject({
      error: { code: 'OUTPUT_INVALID', details: { issues: [{ path: '/n', message: 'Expected integer' }] } },
    })
  })

  it('that is the body of a response is broken off where it fails: its bytes are the function’s own', async () => {
    const lone = await startLone(
      defineFunction({
        handler: () =>
          new Response(
            new ReadableStream({
              pull(controller) {
                controller.enqueue(new TextEncoder().encode('some'))
                controller.error(new Error('broken'))
              },
            }),
            { status: 201 },
          ),
      }),
    )
    lone.batch({ 1: undefined })
    const { head, end } = await lone.ended(1)
    expect(head?.status).toBe(201)
    expect(end).toBe('broken')
    expect(lone.lines).toHaveLength(1)
  })

  it('of a batch does not hold up the replies beside it', async () => {
    const more = Promise.withResolvers<void>()
    const lone = await startLone(
      defineInference({
        input: Type.String(),
        model: multiplexed(() => null),
        batch: { maxSize: 8, maxDelayMs: 0 },
        infer: (inputs) =>
          inputs.map((input) => {
            if (input !== 'stream') return input
            return (async function* () {
              yield 1
              await more.promise
            })()
          }),
      }),
      { model: { id: 'loud', version: '1', path: '/models/loud' } },
    )
    lone.batch({ 1: 'stream', 2: 'b' })
    expect(await lone.value(2)).toBe('b')
    expect(lone.answer(1).end).toBe(null)
    more.resolve()
    expect((await lone.ended(1)).text).toBe('1\n')
  })
})
