import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { defineFunction } from '../../runtime/define/function.ts'
import { defineInference } from '../../runtime/define/inference.ts'
import { multiplexed, onnx } from '../../runtime/define/model.ts'
import { tensor } from '../../runtime/engine/tensor.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { streamWindowBytes } from '../../runtime/replica/stream.ts'
import { createPlainEngine } from '../define/engine.ts'
import { LoneRunner, turns } from './lone-runner.ts'

const info = { id: 'loud', version: '1', path: '/models/loud' }
const model = multiplexed(() => ({ shout: (text: string) => text.toUpperCase() }))
const batch = { maxSize: 8, maxDelayMs: 0 }

describe('a runner', () => {
  it('answers a request by its function', async () => {
    const lone = new LoneRunner(
      defineFunction({
        params: Type.Object({ name: Type.String() }),
        query: Type.Object({ times: Type.Integer({ default: 1 }) }),
        handler: ({ params, query }) => ({ hello: params.name.repeat(query.times) }),
      }),
    )
    await lone.runner.start()
    lone.batch({ 7: undefined }, { params: { name: 'ada' }, url: '/hello/ada?times=2' })
    expect(await lone.value(7)).toEqual({ hello: 'adaada' })
    expect(lone.answer(7).head).toEqual({ status: 200, headers: [['content-type', 'application/json']] })
    expect(lone.lines).toEqual([])
  })

  it('gives the function all of its context', async () => {
    const seen: unknown[] = []
    const lone = new LoneRunner(
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
    await lone.runner.start()
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

  it('runs a model of its engine', async () => {
    const engine = createPlainEngine({
      '/models/loud/model.onnx': {
        inputs: [{ name: 'x', type: 'float32', dims: ['n'] }],
        outputs: [{ name: 'y', type: 'float32', dims: ['n'] }],
        compute: ({ x }) => ({
          y: tensor(
            'float32',
            Float32Array.from(x?.toArray() ?? [], (value) => Number(value) + 1),
            [1],
          ),
        }),
      },
    })
    const lone = new LoneRunner(
      defineInference({
        input: Type.Number(),
        model: onnx({ inputs: ['x'], outputs: ['y'] }),
        async infer(input, { model }) {
          const { y } = await model.run({ x: tensor('float32', Float32Array.of(input), [1]) })
          return y.item()
        },
      }),
      { model: info, engine },
    )
    await lone.runner.start()
    lone.batch({ 1: 4 })
    expect(await lone.value(1)).toBe(5)
    await lone.runner.stop()
    expect(engine.disposals).toEqual([1])
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
})

describe('a batch', () => {
  const shoutAll = (calls: unknown[][]) =>
    defineInference({
      input: Type.String(),
      model,
      batch,
      infer(inputs, { model }) {
        calls.push([...inputs])
        return inputs.map((input) =>
          input === 'bad' ? new IsoplexError('REQUEST_MALFORMED', 'Bad.') : model.shout(input),
        )
      },
    })

  it('is answered by one call, each request with its own', async () => {
    const calls: unknown[][] = []
    const lone = new LoneRunner(shoutAll(calls), { model: info })
    await lone.runner.start()
    lone.batch({ 1: 'a', 2: 'b', 3: 'c' })
    expect(await Promise.all([1, 2, 3].map((id) => lone.value(id)))).toEqual(['A', 'B', 'C'])
    expect(calls).toEqual([['a', 'b', 'c']])
  })

  it('leaves a request with a bad body out: it fails alone, and at once', async () => {
    const calls: unknown[][] = []
    const lone = new LoneRunner(shoutAll(calls), { model: info })
    await lone.runner.start()
    lone.batch({ 1: 'a', 2: 5, 3: undefined, 4: 'd' })
    expect(await lone.value(1)).toBe('A')
    expect(await lone.value(4)).toBe('D')
    expect((await lone.ended(2)).error).toMatchObject({
      code: 'INPUT_INVALID',
      details: { issues: [{ path: '', message: 'Expected string' }] },
    })
    expect((await lone.ended(3)).error).toMatchObject({ code: 'INPUT_INVALID' })
    expect(calls).toEqual([['a', 'd']])
    // The caller was told; it is no news to the developer.
    expect(lone.lines).toEqual([])
  })

  it('fails the one request whose result is an error', async () => {
    const lone = new LoneRunner(shoutAll([]), { model: info })
    await lone.runner.start()
    lone.batch({ 1: 'a', 2: 'bad' })
    expect(await lone.value(1)).toBe('A')
    expect((await lone.ended(2)).error).toEqual({ code: 'REQUEST_MALFORMED', message: 'Bad.' })
  })

  it('fails the one request whose result the output schema refuses', async () => {
    const lone = new LoneRunner(
      defineInference({
        input: Type.String(),
        output: Type.String({ maxLength: 1 }),
        model,
        batch,
        infer: (inputs) => inputs.map((input) => input),
      }),
      { model: info },
    )
    await lone.runner.start()
    lone.batch({ 1: 'a', 2: 'too long' })
    expect(await lone.value(1)).toBe('a')
    expect((await lone.ended(2)).error).toMatchObject({ code: 'OUTPUT_INVALID' })
    expect(lone.lines).toMatchObject([
      { level: 'error', fields: { function: 'lone', requestId: 'request-2' } },
    ])
  })

  it('fails as a whole where the call throws, and the next is answered', async () => {
    let calls = 0
    const lone = new LoneRunner(
      defineInference({
        input: Type.String(),
        model,
        batch,
        infer(inputs) {
          calls += 1
          if (calls === 1) throw new Error('password is hunter2')
          return [...inputs]
        },
      }),
      { model: info },
    )
    await lone.runner.start()
    lone.batch({ 1: 'a', 2: 'b' })
    lone.batch({ 3: 'c' })
    for (const id of [1, 2]) {
      const { error } = await lone.ended(id)
      expect(error?.code).toBe('INTERNAL')
      expect(JSON.stringify(error)).not.toContain('hunter2')
    }
    expect(await lone.value(3)).toBe('c')
    expect(lone.lines.map(({ fields }) => [fields.requestId, (fields.error as Error).message])).toEqual([
      ['request-1', 'password is hunter2'],
      ['request-2', 'password is hunter2'],
    ])
  })

  it('of bad requests only is refused without a call', async () => {
    const calls: unknown[][] = []
    const lone = new LoneRunner(shoutAll(calls), { model: info })
    await lone.runner.start()
    lone.batch({ 1: 5, 2: 6 })
    await Promise.all([lone.ended(1), lone.ended(2)])
    expect(calls).toEqual([])
    lone.batch({ 3: 'c' })
    expect(await lone.value(3)).toBe('C')
  })

  it('does not fail for a body of 100,000 nested arrays beside it', async () => {
    const lone = new LoneRunner(shoutAll([]), { model: info })
    await lone.runner.start()
    lone.batch({ 1: JSON.parse('['.repeat(5_000) + ']'.repeat(5_000)), 2: 'b' })
    expect((await lone.ended(1)).error?.code).toBe('INPUT_INVALID')
    expect(await lone.value(2)).toBe('B')
  })
})

describe('what a function throws', () => {
  it.each([
    ['an error', new Error('secret'), 'INTERNAL', 1],
    ['a text', 'secret', 'INTERNAL', 1],
    ['nothing', undefined, 'INTERNAL', 1],
    ['an error for the caller', new IsoplexError('REQUEST_MALFORMED', 'No.'), 'REQUEST_MALFORMED', 0],
    ['an error of the server', new IsoplexError('STORAGE_FULL', 'Full.'), 'STORAGE_FULL', 1],
  ])('is told and logged as it should: %s', async (_, thrown, code, lines) => {
    const lone = new LoneRunner(
      defineFunction({
        handler: (): never => {
          throw thrown
        },
      }),
    )
    await lone.runner.start()
    lone.batch({ 1: undefined })
    const { error } = await lone.ended(1)
    expect(error?.code).toBe(code)
    expect(JSON.stringify(error)).not.toContain('secret')
    expect(lone.lines).toHaveLength(lines)
  })

  it('may be a result that cannot be written', async () => {
    const lone = new LoneRunner(defineFunction({ handler: () => ({ id: 5n }) }))
    await lone.runner.start()
    lone.batch({ 1: undefined })
    expect((await lone.ended(1)).error?.code).toBe('INTERNAL')
    expect(lone.lines).toHaveLength(1)
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
    const lone = new LoneRunner(definition)
    await lone.runner.start()
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
    const lone = new LoneRunner(definition, { concurrency: 3 })
    await lone.runner.start()
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
    const lone = new LoneRunner(
      defineFunction({
        input: Type.String(),
        handler: ({ input }) => {
          if (input === 'bad') throw new Error('bad')
          return input
        },
      }),
    )
    await lone.runner.start()
    for (let id = 1; id <= 20; id += 1) lone.batch({ [id]: 'bad' })
    lone.batch({ 21: 5 })
    lone.batch({ 22: 'good' })
    expect(await lone.value(22)).toBe('good')
  })
})

describe('a cancelled request', () => {
  it('has its signal fired, with a reason as of an abort', async () => {
    const signals: AbortSignal[] = []
    const lone = new LoneRunner(
      defineFunction({
        handler: ({ signal }) => {
          signals.push(signal)
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        },
      }),
    )
    await lone.runner.start()
    lone.batch({ 1: undefined })
    await turns()
    expect(signals[0]?.aborted).toBe(false)
    lone.cancel(1)
    await lone.ended(1)
    expect(signals[0]?.reason).toMatchObject({ name: 'AbortError' })
    // Nobody failed: the caller left.
    expect(lone.lines).toEqual([])
  })

  it('is not begun where it still waits', async () => {
    const begun: string[] = []
    const first = Promise.withResolvers<string>()
    const lone = new LoneRunner(
      defineFunction({
        input: Type.String(),
        handler: ({ input }) => {
          begun.push(input)
          return input === 'first' ? first.promise : input
        },
      }),
    )
    await lone.runner.start()
    lone.batch({ 1: 'first' })
    lone.batch({ 2: 'second' })
    lone.batch({ 3: 'third' })
    lone.cancel(2)
    first.resolve('done')
    expect(await lone.value(3)).toBe('third')
    expect((await lone.ended(2)).end).toBe('refusal')
    expect(begun).toEqual(['first', 'third'])
  })

  it('does not stop its batch before all of the batch are gone', async () => {
    const seen: { signal?: AbortSignal; own?: readonly AbortSignal[] } = {}
    const done = Promise.withResolvers<readonly string[]>()
    const lone = new LoneRunner(
      defineInference({
        input: Type.String(),
        model,
        batch,
        infer(_, { signal, requests }) {
          seen.signal = signal
          seen.own = requests.map((request) => request.signal)
          return done.promise
        },
      }),
      { model: info },
    )
    await lone.runner.start()
    // One is refused before the others are inferred: nobody waits for it.
    lone.batch({ 1: 'a', 2: 5, 3: 'c' })
    await turns()
    lone.cancel(1)
    expect(seen.own?.map((signal) => signal.aborted)).toEqual([true, false])
    expect(seen.signal?.aborted).toBe(false)
    lone.cancel(3)
    expect(seen.signal?.aborted).toBe(true)
    done.resolve(['A', 'C'])
    await Promise.all([lone.ended(1), lone.ended(3)])
  })

  it('of a batch that goes on does not fire its signal when it ends', async () => {
    const seen: AbortSignal[] = []
    const lone = new LoneRunner(
      defineInference({
        input: Type.String(),
        model,
        batch,
        infer(inputs, { signal }) {
          seen.push(signal)
          return [...inputs]
        },
      }),
      { model: info },
    )
    await lone.runner.start()
    lone.batch({ 1: 'a', 2: 'b' })
    await Promise.all([lone.value(1), lone.value(2)])
    lone.cancel(1)
    expect(seen[0]?.aborted).toBe(false)
  })

  it('that is unknown or has been answered is passed over', async () => {
    const lone = new LoneRunner(defineFunction({ handler: () => 1 }))
    await lone.runner.start()
    lone.cancel(99)
    lone.credit(99, 5)
    lone.batch({ 1: undefined })
    expect(await lone.value(1)).toBe(1)
    lone.cancel(1)
    lone.credit(1, 5)
    await turns()
  })
})

describe('a stream', () => {
  it('is sent item by item, with its head before it', async () => {
    const lone = new LoneRunner(
      defineFunction({
        async *handler() {
          yield 1
          yield 2
        },
      }),
    )
    await lone.runner.start()
    lone.batch({ 1: undefined })
    const { head, text, end } = await lone.ended(1)
    expect(head?.headers).toContainEqual(['content-type', 'application/x-ndjson'])
    expect(text).toBe('1\n2\n')
    expect(end).toBe('stream')
  })

  it('goes no further than the window without credit, and on with it', async () => {
    const line = `${JSON.stringify('x'.repeat(997))}\n`
    let made = 0
    const lone = new LoneRunner(
      defineFunction({
        async *handler() {
          for (; made < 1_000; made += 1) yield 'x'.repeat(997)
        },
      }),
    )
    await lone.runner.start()
    lone.batch({ 1: undefined })
    await lone.until(() => lone.answer(1).text.length >= streamWindowBytes)
    await turns()
    expect(lone.answer(1).text.length).toBe(streamWindowBytes)
    expect(made).toBe(Math.floor(streamWindowBytes / line.length))
    lone.credit(1, 10)
    await lone.until(() => lone.answer(1).text.length >= streamWindowBytes + 10)
    await turns()
    expect(lone.answer(1).text.length).toBe(streamWindowBytes + 10)
    lone.credit(1, 10_000_000)
    const { text, end } = await lone.ended(1)
    expect(end).toBe('stream')
    expect(text).toBe(line.repeat(1_000))
  })

  it('is broken off and its function ended when its reader has gone', async () => {
    let ended = false
    const lone = new LoneRunner(
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
    await lone.runner.start()
    lone.batch({ 1: undefined })
    await lone.until(() => lone.answer(1).text.length === streamWindowBytes)
    lone.cancel(1)
    expect((await lone.ended(1)).end).toBe('broken')
    expect(ended).toBe(true)
    expect(lone.lines).toEqual([])
  })

  it('that fails says so in a last item, and in the log', async () => {
    const lone = new LoneRunner(
      defineFunction({
        async *handler() {
          yield 1
          throw new Error('password is hunter2')
        },
      }),
    )
    await lone.runner.start()
    lone.batch({ 1: undefined })
    const { text, end } = await lone.ended(1)
    expect(end).toBe('stream')
    expect(text).toMatch(/^1\n\{"error":\{"code":"INTERNAL","message":"[^\n]*"\}\}\n$/)
    expect(text).not.toContain('hunter2')
    expect(lone.lines).toMatchObject([{ level: 'error', fields: { requestId: 'request-1' } }])
  })

  it('with an item that the schema refuses says where', async () => {
    const lone = new LoneRunner(
      defineFunction({
        output: Type.Object({ n: Type.Integer() }),
        async *handler() {
          yield { n: 1 }
          yield { n: 1.5 }
        },
      }),
    )
    await lone.runner.start()
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
    const lone = new LoneRunner(
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
    await lone.runner.start()
    lone.batch({ 1: undefined })
    const { head, end } = await lone.ended(1)
    expect(head?.status).toBe(201)
    expect(end).toBe('broken')
    expect(lone.lines).toHaveLength(1)
  })

  it('of a batch does not hold up the replies beside it', async () => {
    const more = Promise.withResolvers<void>()
    const lone = new LoneRunner(
      defineInference({
        input: Type.String(),
        model,
        batch,
        infer: (inputs) =>
          inputs.map((input) => {
            if (input !== 'stream') return input
            return (async function* () {
              yield 1
              await more.promise
            })()
          }),
      }),
      { model: info },
    )
    await lone.runner.start()
    lone.batch({ 1: 'stream', 2: 'b' })
    expect(await lone.value(2)).toBe('b')
    expect(lone.answer(1).end).toBe(null)
    more.resolve()
    expect((await lone.ended(1)).text).toBe('1\n')
  })
})

describe('coming up', () => {
  /** A definition that notes what is done to it, and fails where it is told to. */
  function noting(
    fails: 'setup' | 'load' | 'infer' | 'teardown' | null = null,
    warmup: readonly string[] = [],
  ) {
    const notes: string[] = []
    const step = (name: string): void => {
      notes.push(name)
      if (name === fails) throw new Error(`${name} failed`)
    }
    const definition = defineInference({
      input: Type.String(),
      setup: () => step('setup'),
      model: multiplexed(() => step('load'), { unload: () => step('unload') }),
      warmup,
      infer(input) {
        notes.push(`infer ${input}`)
        if (fails === 'infer') throw new Error('infer failed')
        return input
      },
      teardown: () => step('teardown'),
    })
    return { notes, definition }
  }

  it('sets up, loads and warms up before the first request', async () => {
    const { notes, definition } = noting(null, ['warm', 'warmer'])
    const lone = new LoneRunner(definition, { model: info })
    const started = lone.runner.start()
    lone.batch({ 1: 'hot' })
    await started
    await lone.value(1)
    expect(notes).toEqual(['setup', 'load', 'infer warm', 'infer warmer', 'infer hot'])
    // A warm-up is nobody's request.
    expect(lone.lines).toEqual([])
  })

  it('reads a warm-up’s stream, which computes nothing before', async () => {
    let made = 0
    const lone = new LoneRunner(
      defineInference({
        input: Type.String(),
        model,
        warmup: ['a'],
        async *infer() {
          for (; made < 3; made += 1) yield made
        },
      }),
      { model: info },
    )
    await lone.runner.start()
    expect(made).toBe(3)
  })

  it('warms up by a batch of one where requests are gathered', async () => {
    const sizes: number[] = []
    const lone = new LoneRunner(
      defineInference({
        input: Type.String(),
        model,
        batch,
        warmup: ['a', 'b'],
        infer(inputs) {
          sizes.push(inputs.length)
          return [...inputs]
        },
      }),
      { model: info },
    )
    await lone.runner.start()
    expect(sizes).toEqual([1, 1])
  })

  it.each([
    ['setup', [], ['setup']],
    ['load', [], ['setup', 'load', 'teardown']],
    ['infer', ['warm'], ['setup', 'load', 'infer warm', 'unload', 'teardown']],
  ] as const)('that fails in %s frees what came up before it', async (fails, warmup, expected) => {
    const { notes, definition } = noting(fails, warmup)
    const lone = new LoneRunner(definition, { model: info })
    await expect(lone.runner.start()).rejects.toThrow(`${fails} failed`)
    expect(notes).toEqual(expected)
    await lone.runner.stop()
    expect(notes).toEqual(expected)
  })

  it('that fails says its own reason, whatever the teardown says', async () => {
    const definition = defineFunction({
      setup: () => 1,
      teardown: () => Promise.reject(new Error('teardown failed')),
      handler: () => null,
    })
    const lone = new LoneRunner(
      { ...definition, model: multiplexed(() => Promise.reject(new Error('load failed'))) },
      { model: info },
    )
    await expect(lone.runner.start()).rejects.toThrow('load failed')
    expect(lone.lines).toMatchObject([{ level: 'error', fields: { function: 'lone' } }])
  })

  it('refuses a schema that cannot be checked, at once', () => {
    const definition = defineFunction({ input: Type.Object({ a: Type.Ref('nowhere') }), handler: () => null })
    expect(() => new LoneRunner(definition)).toThrow()
  })

  it('loads no model for a function without one', async () => {
    const lone = new LoneRunner(defineFunction({ handler: ({ state }) => state ?? 'none' }))
    await lone.runner.start()
    lone.batch({ 1: undefined })
    expect(await lone.value(1)).toBe('none')
    await lone.runner.stop()
  })

  describe('and stopping', () => {
    it('frees model and state once, in that order, however often it is told', async () => {
      const { notes, definition } = noting()
      const lone = new LoneRunner(definition, { model: info })
      await lone.runner.start()
      await Promise.all([lone.runner.stop(), lone.runner.stop()])
      await lone.runner.stop()
      expect(notes).toEqual(['setup', 'load', 'unload', 'teardown'])
    })

    it('lets everybody wait who tells it to', async () => {
      const { promise, resolve } = Promise.withResolvers<string>()
      const lone = new LoneRunner(defineFunction({ handler: () => promise }))
      await lone.runner.start()
      lone.batch({ 1: undefined })
      const stops = [lone.runner.stop(), lone.runner.stop()]
      resolve('done')
      await Promise.all(stops)
      expect(lone.answer(1).end).toBe('reply')
    })

    it('waits for everything in hand: running, waiting and streaming', async () => {
      const notes: string[] = []
      const first = Promise.withResolvers<string>()
      const lone = new LoneRunner(
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
      await lone.runner.start()
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

    it('tears down even where the model cannot be freed, and says so', async () => {
      const notes: string[] = []
      const lone = new LoneRunner(
        defineInference({
          input: Type.String(),
          model: multiplexed(() => 1, { unload: () => Promise.reject(new Error('unload failed')) }),
          teardown: () => void notes.push('teardown'),
          infer: () => null,
        }),
        { model: info },
      )
      await lone.runner.start()
      await expect(lone.runner.stop()).rejects.toThrow('unload failed')
      expect(notes).toEqual(['teardown'])
    })

    it('does nothing where it never came up', async () => {
      const { notes, definition } = noting()
      await new LoneRunner(definition, { model: info }).runner.stop()
      expect(notes).toEqual([])
    })
  })
})
