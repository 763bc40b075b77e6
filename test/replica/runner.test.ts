import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { defineFunction } from '../../runtime/define/function.ts'
import { defineInference } from '../../runtime/define/inference.ts'
import { multiplexed } from '../../runtime/define/model.ts'
import { streamWindowBytes } from '../../runtime/runner/stream.ts'
import { LoneRunner, startLone, turns } from './lone-runner.ts'

const info = { id: 'loud', version: '1', path: '/models/loud' }
const model = multiplexed(() => ({ shout: (text: string) => text.toUpperCase() }))

describe('a runner', () => {
  it('answers a request by its function', async () => {
    const lone = await startLone(
      defineFunction({
        params: Type.Object({ name: Type.String() }),
        query: Type.Object({ times: Type.Integer({ default: 1 }) }),
        handler: ({ params, query }) => ({ hello: params.name.repeat(query.times) }),
      }),
    )
    lone.batch({ 7: undefined }, { params: { name: 'ada' }, url: '/hello/ada?times=2' })
    expect(await lone.value(7)).toEqual({ hello: 'adaada' })
    expect(lone.answer(7).head).toEqual({ status: 200, headers: [['content-type', 'application/json']] })
    expect(lone.lines).toEqual([])
  })

  it('gives the function all of its context', async () => {
    const seen: unknown[] = []
    const lone = await startLone(
      defineInference({
        input: Type.String(),
        model,
        setup: ({ name }) => ({ from: name }),
        async infer(input, context) {
          const { state, modelId, modelInfo, principal, requestId, request } = context
          seen.push({ input, state, modelId, modelInfo, principal, requestId })
          seen.push({ method: request.method, url: request.url, a: request.headers.get('a') })
          expect(await context.getModel()).toBe(context.model)
          context.log.info('seen', { more: 1 })
          return context.model.shout(input)
        },
      }),
      { model: info },
    )
    lone.batch({ 1: 'ada' }, { principal: 'acme', method: 'PUT', url: '/a?b=c', headers: [['a', 'b']] })
    expect(await lone.value(1)).toBe('ADA')
    expect(seen).toEqual([
      {
        input: 'ada',
        state: { from: 'lone' },
        modelId: 'loud',
        modelInfo: info,
        principal: 'acme',
        requestId: 'request-1',
      },
      { method: 'PUT', url: '/a?b=c', a: 'b' },
    ])
    expect(lone.lines).toEqual([
      { level: 'info', message: 'seen', fields: { more: 1, requestId: 'request-1' } },
    ])
  })

  it('keeps what comes before it is up, and answers it then', async () => {
    const opened = Promise.withResolvers<void>()
    const lone = new LoneRunner(defineFunction({ setup: () => opened.promise, handler: () => 'up' }))
    const started = lone.runner.start()
    lone.batch({ 1: undefined })
    await turns()
    expect(lone.answer(1).end).toBe(null)
    opened.resolve()
    await started
    expect(await lone.value(1)).toBe('up')
  })

  it('refuses a schema that cannot be checked, at once', () => {
    const definition = defineFunction({ input: Type.Object({ a: Type.Ref('nowhere') }), handler: () => null })
    expect(() => new LoneRunner(definition)).toThrow()
  })
})

describe('batches', () => {
  /** A function whose calls wait until a test lets them go. */
  function held() {
    const waiting: { readonly input: string; readonly go: () => void }[] = []
    const definition = defineFunction({
      input: Type.String(),
      handler: ({ input }) =>
        new Promise<string>((resolve) => waiting.push({ input, go: () => resolve(input) })),
    })
    return { waiting, definition }
  }

  it('run one after the other, in the order of their coming', async () => {
    const { waiting, definition } = held()
    const lone = await startLone(definition)
    for (const id of [1, 2, 3]) lone.batch({ [id]: `r${id}` })
    for (const expected of ['r1', 'r2', 'r3']) {
      await turns()
      expect(waiting.map(({ input }) => input)).toEqual([expected])
      waiting.shift()?.go()
    }
    expect(await lone.value(3)).toBe('r3')
  })

  it('run side by side up to the limit, and never beyond', async () => {
    const { waiting, definition } = held()
    const lone = await startLone(definition, { concurrency: 3 })
    for (let id = 1; id <= 10; id += 1) lone.batch({ [id]: `r${id}` })
    let most = 0
    for (let done = 0; done < 10; done += 1) {
      await turns()
      most = Math.max(most, waiting.length)
      expect(waiting.length).toBe(Math.min(3, 10 - done))
      waiting.splice(done % waiting.length, 1)[0]?.go()
    }
    await Promise.all(Array.from({ length: 10 }, (_, index) => lone.value(index + 1)))
    expect(most).toBe(3)
  })

  it('free their place when they fail', async () => {
    const lone = await startLone(
      defineFunction({
        input: Type.String(),
        handler: ({ input }) => {
          if (input === 'bad') throw new Error('bad')
          return input
        },
      }),
    )
    for (let id = 1; id <= 20; id += 1) lone.batch({ [id]: 'bad' })
    lone.batch({ 21: 5 })
    lone.batch({ 22: 'good' })
    expect(await lone.value(22)).toBe('good')
  })
})

describe('a cancelled request', () => {
  it('is not begun where it still waits', async () => {
    const begun: string[] = []
    const first = Promise.withResolvers<string>()
    const lone = await startLone(
      defineFunction({
        input: Type.String(),
        handler: ({ input }) => {
          begun.push(input)
          return input === 'first' ? first.promise : input
        },
      }),
    )
    lone.batch({ 1: 'first' })
    lone.batch({ 2: 'second' })
    lone.batch({ 3: 'third' })
    lone.cancel(2)
    first.resolve('done')
    expect(await lone.value(3)).toBe('third')
    expect((await lone.ended(2)).end).toBe('refusal')
    expect(begun).toEqual(['first', 'third'])
  })

  it('that is unknown or has been answered is passed over', async () => {
    const lone = await startLone(defineFunction({ handler: () => 1 }))
    lone.cancel(99)
    lone.credit(99, 5)
    lone.batch({ 1: undefined })
    expect(await lone.value(1)).toBe(1)
    lone.cancel(1)
    lone.credit(1, 5)
    await turns()
  })
})

describe('stopping', () => {
  it('lets everybody wait who tells it to', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    const lone = await startLone(defineFunction({ handler: () => promise }))
    lone.batch({ 1: undefined })
    const stops = [lone.runner.stop(), lone.runner.stop()]
    resolve('done')
    await Promise.all(stops)
    expect(lone.answer(1).end).toBe('reply')
  })

  it('waits for everything in hand: running, waiting and streaming', async () => {
    const notes: string[] = []
    const first = Promise.withResolvers<string>()
    const lone = await startLone(
      defineFunction({
        input: Type.String(),
        teardown: () => void notes.push('teardown'),
        handler: async ({ input }) => {
          if (input === 'first') return first.promise
          return (async function* () {
            yield 'x'.repeat(streamWindowBytes)
            notes.push('streamed')
          })()
        },
      }),
    )
    lone.batch({ 1: 'first' })
    lone.batch({ 2: 'stream' })
    const stopped = lone.runner.stop()
    await turns()
    expect(notes).toEqual([])
    first.resolve('done')
    expect(await lone.value(1)).toBe('done')
    await lone.until(() => lone.answer(2).text.length === streamWindowBytes)
    await turns()
    expect(notes).toEqual([])
    lone.credit(2, 100)
    await stopped
    expect(notes).toEqual(['streamed', 'teardown'])
  })
})
