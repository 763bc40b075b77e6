import { type Static, Type } from '@sinclair/typebox'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Definition } from '../../runtime/define/definition.ts'
import { defineInference } from '../../runtime/define/inference.ts'
import { multiplexed } from '../../runtime/define/model.ts'
import { tensorOf } from '../../runtime/define/schema.ts'
import { type Tensor, tensor } from '../../runtime/engine/tensor.ts'
import { splitByRows } from '../../runtime/runner/row-split.ts'
import { type LoneRunner, startLone } from '../replica/lone-runner.ts'

const info = { id: 'doubles', version: '1', path: '/models/doubles' }
const model = multiplexed(() => null)
const rowsSchema = tensorOf('float32', ['batch', 2])

/** Doubles every value, and writes down how many rows each call brought for each of its requests. */
function doubling(maxSize: number, calls: number[][]): Definition {
  return defineInference({
    input: rowsSchema,
    output: rowsSchema,
    model,
    batch: { maxSize, maxDelayMs: 0 },
    infer(inputs) {
      calls.push(inputs.map(({ dims: [rows = 0] }) => rows))
      return inputs.map(({ data, dims }) =>
        tensor(
          'float32',
          data.map((value) => value * 2),
          dims,
        ),
      )
    },
  })
}

/** Rows whose values tell of which request they are, and which row of it. */
function rowsOf(request: number, count: number): { dims: number[]; data: number[] } {
  return { dims: [count, 2], data: Array.from({ length: count * 2 }, (_, at) => request * 1_000 + at) }
}

async function openRunner(definition: Definition): Promise<LoneRunner> {
  return startLone(definition, { model: info })
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

describe('requests that bring rows', () => {
  it('get their own, in calls of so many rows as are wanted at most', async () => {
    const counts = fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 10 })
    await fc.assert(
      fc.asyncProperty(counts, fc.integer({ min: 1, max: 8 }), async (rows, maxSize) => {
        const calls: number[][] = []
        const lone = await openRunner(doubling(maxSize, calls))
        lone.batch(Object.fromEntries(rows.map((count, at) => [at + 1, rowsOf(at + 1, count)])))
        for (const [at, count] of rows.entries()) {
          const { dims, data } = rowsOf(at + 1, count)
          const doubled = { type: 'float32', dims, data: data.map((value) => value * 2) }
          expect(await lone.value(at + 1)).toEqual(doubled)
        }
        for (const call of calls) expect(sum(call)).toBeLessThanOrEqual(maxSize)
        expect(sum(calls.flat())).toBe(sum(rows))
        // Two calls after another would have fitted into none: they are as full as their order allows.
        for (const [at, call] of calls.entries())
          if (at > 0) expect(sum(calls[at - 1] ?? []) + (call[0] ?? 0)).toBeGreaterThan(maxSize)
      }),
    )
  })

  it('are not cut where their answers could not be joined: who brings too many is alone', async () => {
    const calls: number[][] = []
    const lone = await openRunner(
      defineInference({
        input: Type.Object({ x: rowsSchema, bias: Type.Number(), y: Type.Optional(rowsSchema) }),
        output: Type.Object({ rows: Type.Number() }),
        model,
        batch: { maxSize: 4, maxDelayMs: 0 },
        infer(inputs) {
          calls.push(
            inputs.map(
              ({
                x: {
                  dims: [rows = 0],
                },
              }) => rows,
            ),
          )
          return inputs.map(({ x, bias }) => ({ rows: (x.dims[0] ?? 0) + bias }))
        },
      }),
    )
    const counts = [1, 2, 9, 3, 1, 1]
    lone.batch(Object.fromEntries(counts.map((count, at) => [at + 1, { x: rowsOf(at, count), bias: at }])))
    const values = await Promise.all(counts.map((_, at) => lone.value(at + 1)))
    expect(values).toEqual(counts.map((count, at) => ({ rows: count + at })))
    expect(calls).toEqual([[1, 2], [9], [3, 1], [1]])
  })

  it('in several fields are cut in all of them, with the others kept', async () => {
    const calls: number[][] = []
    const weights = tensorOf('float32', ['batch'])
    const input = Type.Object({ x: rowsSchema, weights, bias: Type.Number() })
    const lone = await openRunner(
      defineInference({
        input,
        output: weights,
        model,
        batch: { maxSize: 2, maxDelayMs: 0 },
        infer(inputs) {
          calls.push(inputs.map((each) => each.weights.size))
          return inputs.map(weigh)
        },
      }),
    )
    const weigh = ({ x, weights, bias }: Static<typeof input>): Tensor<'float32'> => {
      const data = x.rows().map((row, at) => sum(row.toArray()) * weights.at(at) + bias)
      return tensor('float32', Float32Array.from(data), [data.length])
    }
    lone.batch({
      1: { x: rowsOf(0, 3), weights: { dims: [3], data: [1, 2, 3] }, bias: 10 },
      2: { x: rowsOf(0, 3), weights: { dims: [1], data: [1] }, bias: 10 },
    })
    expect(await lone.value(1)).toEqual({ type: 'float32', dims: [3], data: [11, 20, 37] })
    // Fields that do not agree are the function's to refuse: they are not cut.
    expect((await lone.ended(2)).error).toMatchObject({ code: 'INTERNAL' })
    expect(calls).toEqual([[2], [1], [1]])
  })

  it('fail for themselves where one of their parts does, and no further part is computed', async () => {
    const calls: number[][] = []
    const lone = await openRunner(
      defineInference({
        input: rowsSchema,
        output: rowsSchema,
        model,
        batch: { maxSize: 2, maxDelayMs: 0 },
        infer(inputs) {
          calls.push(inputs.map(({ data }) => data[0] ?? 0))
          if (inputs.some(({ data }) => data.includes(4_000))) throw new Error('thrown for all of a call')
          return inputs.map((input) => (input.data.includes(2_004) ? new Error('the second part') : input))
        },
      }),
    )
    lone.batch({ 1: rowsOf(1, 1), 2: rowsOf(2, 8), 3: rowsOf(3, 1), 4: rowsOf(4, 1), 5: rowsOf(5, 3) })
    const ends = await Promise.all([1, 2, 3, 4, 5].map(async (id) => (await lone.ended(id)).end))
    expect(ends).toEqual(['reply', 'refusal', 'refusal', 'refusal', 'reply'])
    expect(calls).toEqual([[1_000], [2_000], [2_004], [3_000, 4_000], [5_000], [5_004]])
  })

  it('are not computed on where their caller has gone', async () => {
    const calls: number[][] = []
    let release = (): void => undefined
    const lone = await openRunner(
      defineInference({
        input: rowsSchema,
        output: rowsSchema,
        model,
        batch: { maxSize: 2, maxDelayMs: 0 },
        async infer(inputs) {
          calls.push(inputs.map(({ data }) => data[0] ?? 0))
          if (calls.length === 1) await new Promise<void>((resolve) => (release = resolve))
          return inputs
        },
      }),
    )
    lone.batch({ 1: rowsOf(1, 9), 2: rowsOf(2, 1) })
    await lone.until(() => calls.length === 1)
    lone.cancel(1)
    release()
    await lone.value(2)
    expect(calls).toEqual([[1_000], [2_000]])
  })

  it.each([
    ['as many rows for any part', (): Tensor<'float32'> => tensor('float32', new Float32Array(4), [2, 2])],
    [
      'rows of another width for each part',
      ({ dims: [rows = 0] }: Tensor<'float32'>) =>
        tensor('float32', new Float32Array(rows * rows), [rows, rows]),
    ],
  ])('cannot be answered by a function that returns %s', async (_, answer) => {
    const lone = await openRunner(
      defineInference({
        input: rowsSchema,
        output: tensorOf('float32', ['batch', null]),
        model,
        batch: { maxSize: 2, maxDelayMs: 0 },
        infer: (inputs) => inputs.map(answer),
      }),
    )
    lone.batch({ 1: rowsOf(1, 3) })
    expect((await lone.ended(1)).error).toMatchObject({ code: 'INTERNAL' })
    expect(JSON.stringify(lone.lines.map(({ fields }) => String(fields.error)))).toContain(
      'a row for each row',
    )
  })

  it('by the million are cut one call at a time', async () => {
    let calls = 0
    const input = tensorOf('uint8', ['batch'])
    const { answer } = splitByRows(
      defineInference({
        input,
        output: input,
        model,
        batch: { maxSize: 1, maxDelayMs: 0 },
        infer(inputs) {
          calls += 1
          return calls < 3 ? inputs : [new Error('enough')]
        },
      }),
    )
    const { signal } = new AbortController()
    const many = tensor('uint8', new Uint8Array(30_000_000), [30_000_000])
    type Calls = Parameters<typeof answer>[0]
    const [outcome] = await answer([{ input: many, signal }] as unknown as Calls, { signal })
    expect([calls, outcome]).toEqual([3, new Error('enough')])
  })
})

describe('a definition whose requests count as one each', () => {
  const infer = (inputs: readonly unknown[]): readonly unknown[] => inputs
  const batch = { maxSize: 2, maxDelayMs: 0 }

  it.each([
    ['has no batch', defineInference({ input: rowsSchema, model, infer: (input) => input })],
    ['has no rows', defineInference({ input: tensorOf('float32', [1, 2]), model, batch, infer })],
    [
      'calls its first dimension otherwise',
      defineInference({ input: tensorOf('float32', ['samples']), model, batch, infer }),
    ],
    ['has rows deeper down', defineInference({ input: Type.Array(rowsSchema), model, batch, infer })],
  ])('is given back as it is where it %s', (_, definition) => {
    expect(splitByRows(definition)).toBe(definition)
  })
})
