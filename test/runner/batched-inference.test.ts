import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inferInBatches } from '../../runtime/runner/batched-inference.ts'

/** Counts up, and notes how far it was asked and whether it was ended. */
function counting(end: number) {
  const state = { asked: 0, ended: false }
  function* values(): Generator<number> {
    try {
      for (let value = 0; value < end; value += 1) {
        state.asked = value + 1
        yield value
      }
    } finally {
      state.ended = true
    }
  }
  async function* later(): AsyncGenerator<number> {
    yield* values()
  }
  return { state, values, later }
}

const doubled = (batch: readonly number[]): number[] => batch.map((value) => value * 2)

it.each(['values', 'later'] as const)('answers %s in their order, whatever the batches are', async (form) => {
  await fc.assert(
    fc.asyncProperty(fc.nat(40), fc.integer({ min: 1, max: 9 }), async (length, batchSize) => {
      const sizes: number[] = []
      const answers = await Array.fromAsync(
        inferInBatches(counting(length)[form](), {
          batchSize,
          answer: async (batch) => {
            sizes.push(batch.length)
            return doubled(batch)
          },
        }),
      )
      expect(answers).toEqual(doubled(Array.from({ length }, (_, value) => value)))
      const whole = Math.floor(length / batchSize)
      expect(sizes).toEqual([
        ...Array(whole).fill(batchSize),
        ...(length % batchSize ? [length % batchSize] : []),
      ])
    }),
    { numRuns: 50 },
  )
})

it('gathers the next batch while one is answered, and takes no more than that', async () => {
  const { state, values } = counting(1_000)
  const first = Promise.withResolvers<void>()
  const begun: number[] = []
  const answers = inferInBatches(values(), {
    batchSize: 10,
    async answer(batch) {
      begun.push(batch[0] ?? -1)
      if (batch[0] === 0) await first.promise
      return batch
    },
  })
  const next = answers.next()
  await expect.poll(() => state.asked).toBe(20)
  expect(begun).toEqual([0])
  first.resolve()
  expect(await next).toEqual({ done: false, value: 0 })
  await expect.poll(() => begun).toEqual([0, 10])
  expect(state.asked).toBe(20)
  await answers.return()
  expect(state.ended).toBe(true)
})

it('gives what is answered although the next input depends on it', async () => {
  const seen: number[] = []
  const wanted: PromiseWithResolvers<void>[] = [0, 1, 2].map(() => Promise.withResolvers<void>())
  async function* inputs(): AsyncGenerator<number> {
    for (const [index, { promise }] of wanted.entries()) {
      yield index
      await promise
    }
  }
  for await (const answer of inferInBatches(inputs(), { batchSize: 1, answer: doubled })) {
    seen.push(answer)
    wanted[seen.length - 1]?.resolve()
  }
  expect(seen).toEqual([0, 2, 4])
})

describe('an end before the end', () => {
  it('ends the inputs once the batch in hand is answered', async () => {
    const { state, later } = counting(1_000)
    const held = Promise.withResolvers<void>()
    let running = 0
    const answers = inferInBatches(later(), {
      batchSize: 2,
      async answer(batch) {
        running += 1
        if (batch[0] === 2) await held.promise
        running -= 1
        return batch
      },
    })
    expect(await answers.next()).toEqual({ done: false, value: 0 })
    await expect.poll(() => running).toBe(1)
    const left = answers.return()
    expect(state.ended).toBe(false)
    held.resolve()
    await left
    expect([state.ended, running]).toEqual([true, 0])
  })

  it('does not wait for an input that never comes', async () => {
    let ended = false
    const stuck: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => {
        let calls = 0
        return {
          next: () =>
            ++calls === 1 ? Promise.resolve({ done: false, value: 1 }) : new Promise(() => undefined),
          return: () => {
            ended = true
            return new Promise(() => undefined)
          },
        }
      },
    }
    for await (const answer of inferInBatches(stuck, { batchSize: 1, answer: doubled })) {
      expect(answer).toBe(2)
      break
    }
    expect(ended).toBe(true)
  })

  it('throws what the inputs throw after the answers before, and does not end them again', async () => {
    let returned = false
    const inputs: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => {
        let value = 0
        return {
          next: async () => {
            if (value === 4) throw new Error('The inputs are broken.')
            return { done: false, value: value++ }
          },
          return: async () => {
            returned = true
            return { done: true, value: undefined }
          },
        }
      },
    }
    const seen: number[] = []
    const read = async (): Promise<void> => {
      for await (const answer of inferInBatches(inputs, { batchSize: 2, answer: doubled })) seen.push(answer)
    }
    await expect(read()).rejects.toThrow('The inputs are broken.')
    expect([seen, returned]).toEqual([[0, 2, 4, 6], false])
  })

  it('throws what the answering throws, and ends the inputs', async () => {
    const { state, values } = counting(100)
    const seen: number[] = []
    const read = async (): Promise<void> => {
      const answer = (batch: readonly number[]): readonly number[] => {
        if (batch.includes(5)) throw new RangeError('Five is right out.')
        return batch
      }
      for await (const each of inferInBatches(values(), { batchSize: 2, answer })) seen.push(each)
    }
    await expect(read()).rejects.toThrow('Five is right out.')
    expect([seen, state.ended]).toEqual([[0, 1, 2, 3], true])
  })

  it('throws an error among the answers in its place', async () => {
    const { state, values } = counting(100)
    const seen: number[] = []
    const read = async (): Promise<void> => {
      const answer = (batch: readonly number[]): (number | Error)[] =>
        batch.map((value) => (value === 5 ? new Error('Not this one.') : value))
      for await (const each of inferInBatches(values(), { batchSize: 4, answer })) seen.push(each)
    }
    await expect(read()).rejects.toThrow('Not this one.')
    expect([seen, state.ended]).toEqual([[0, 1, 2, 3, 4], true])
  })
})

it.each([
  ['too few', (batch: readonly number[]) => batch.slice(1), /each of the 3 inputs; it returned 2 results/],
  ['too many', (batch: readonly number[]) => [...batch, 1], /it returned 4 results/],
  ['no list', () => undefined as unknown as number[], /it returned undefined/],
])('refuses %s answers', async (_, answer, message) => {
  const read = Array.fromAsync(inferInBatches([1, 2, 3], { batchSize: 3, answer }))
  await expect(read).rejects.toThrow(message)
})

it('lets timers fire while it computes', async () => {
  let fired = false
  setTimeout(() => {
    fired = true
  }, 1)
  function* untilFired(): Generator<number> {
    while (!fired) yield 1
  }
  for await (const _ of inferInBatches(untilFired(), { batchSize: 1_000, answer: doubled }));
  expect(fired).toBe(true)
})

it('keeps memory flat over a million inputs', async () => {
  const { values } = counting(1_000_000)
  const marks: number[] = []
  let count = 0
  for await (const _ of inferInBatches(values(), { batchSize: 64, answer: doubled })) {
    count += 1
    if (count % 100_000 === 0) {
      Bun.gc(true)
      marks.push(process.memoryUsage().heapUsed)
    }
  }
  expect(count).toBe(1_000_000)
  expect(marks.at(-1)).toBeLessThan((marks[1] ?? 0) * 1.1)
})
