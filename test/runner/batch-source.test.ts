import { describe, expect, it } from 'vitest'
import { BatchSource } from '../../runtime/runner/batch-source.ts'

async function* later(values: Iterable<number>): AsyncGenerator<number> {
  yield* values
}

describe.each([
  ['values that are there', (values: readonly number[]) => values],
  ['values that come', (values: readonly number[]) => later(values)],
])('%s', (_, make) => {
  it('are taken in batches, and then in empty ones', async () => {
    const source = new BatchSource(make([1, 2, 3]), 2)
    const batches = [await source.next(), await source.next(), await source.next(), await source.next()]
    expect(batches).toEqual([[1, 2], [3], [], []])
  })

  it('may be undefined', async () => {
    const source = new BatchSource(make([undefined, undefined] as unknown as number[]), 3)
    expect(await source.next()).toEqual([undefined, undefined])
  })
})

/** Values whose end is counted. */
function ended(next: () => Promise<IteratorResult<number>>) {
  const state = { returns: 0 }
  const values: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next,
      async return() {
        state.returns += 1
        return { done: true, value: undefined }
      },
    }),
  }
  return { state, values }
}

describe('the end', () => {
  it('is told once to values that go on', async () => {
    const { state, values } = ended(async () => ({ done: false, value: 1 }))
    const source = new BatchSource(values, 2)
    await source.next()
    await source.end()
    await source.end()
    expect([state.returns, await source.next()]).toEqual([1, []])
  })

  it('is not told to values that have ended or failed', async () => {
    const over = ended(async () => ({ done: true, value: undefined }))
    const broken = ended(() => Promise.reject(new Error('broken')))
    const sources = [over, broken].map(({ values }) => new BatchSource(values, 2))
    expect(await sources[0]?.next()).toEqual([])
    await expect(sources[1]?.next()).rejects.toThrow('broken')
    for (const source of sources) await source.end()
    expect([over.state.returns, broken.state.returns]).toEqual([0, 0])
  })

  it('is told to values that never come, and the batch is what there was', async () => {
    let calls = 0
    const held = Promise.withResolvers<IteratorResult<number>>()
    const { state, values } = ended(() => {
      calls += 1
      return calls === 1 ? Promise.resolve({ done: false, value: 1 }) : held.promise
    })
    const source = new BatchSource(values, 2)
    const gathering = source.next()
    await expect.poll(() => calls).toBe(2)
    await source.end()
    expect(state.returns).toBe(1)
    held.resolve({ done: true, value: undefined })
    expect(await gathering).toEqual([1])
  })

  it('says what goes wrong in it', async () => {
    const values: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: 1 }),
        return: () => Promise.reject(new Error('It does not end well.')),
      }),
    }
    const source = new BatchSource(values, 1)
    await source.next()
    await expect(source.end()).rejects.toThrow('It does not end well.')
  })
})
