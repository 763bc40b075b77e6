import { describe, expect, it } from 'vitest'
import { type AnyIsoplexError, IsoplexError } from '../../runtime/error/error.ts'
import type { ResolvedModel } from '../../runtime/replica/deployment.ts'
import { createResolutionCache, type ResolutionCacheOptions } from '../../runtime/server/resolution-cache.ts'

/** A backend that answers when it is told to, and a clock that goes on when it is told to. */
function open(options: ResolutionCacheOptions = {}) {
  let nowMs = 1_000
  const questions: (PromiseWithResolvers<ResolvedModel> & { readonly model: string })[] = []
  const resolve = createResolutionCache(
    (model) => {
      const question = Promise.withResolvers<ResolvedModel>()
      questions.push({ ...question, model })
      return question.promise
    },
    { ...options, now: () => nowMs },
  )
  return {
    resolve,
    questions,
    wait: (ms: number): void => {
      nowMs += ms
    },
    /** Answers the question that was asked last. */
    answer: (id: string): ResolvedModel => {
      const model = { key: `embedded//${id}@1`, info: { id, version: '1', path: '/models' } }
      questions.at(-1)?.resolve(model)
      return model
    },
    refuse: (error: unknown): void => questions.at(-1)?.reject(error),
  }
}

const refusals: readonly AnyIsoplexError[] = [
  new IsoplexError('MODEL_NOT_FOUND', 'No.', { details: { model: 'a' } }),
  new IsoplexError('MODEL_FORBIDDEN', 'No.', { details: { model: 'a' } }),
  new IsoplexError('ARTIFACT_BROKEN', 'No.', { details: { reason: 'link' } }),
]

describe('an answer', () => {
  it('is remembered for its time, and asked for again after it', async () => {
    const { resolve, questions, answer, wait } = open({ foundMs: 100 })
    const first = resolve('a', null)
    const model = answer('a')
    expect(await first).toBe(model)
    wait(99)
    expect(await resolve('a', null)).toBe(model)
    expect(questions).toHaveLength(1)
    wait(2)
    const second = resolve('a', null)
    expect(questions).toHaveLength(2)
    const newer = answer('a')
    expect(await second).toBe(newer)
  })

  it('is asked for once, however many want it at a time', async () => {
    const { resolve, questions, answer } = open()
    const all = Array.from({ length: 50 }, () => resolve('a', null))
    const model = answer('a')
    expect(new Set(await Promise.all(all))).toEqual(new Set([model]))
    expect(questions).toHaveLength(1)
  })

  it('belongs to its model and its tenant, however they are written', async () => {
    const { resolve, questions, answer } = open()
    const pairs = [
      ['a', null],
      ['a', 'null'],
      ['a', 't'],
      ['at', null],
      ['a', 'tnull'],
      ['a","t', null],
    ] as const
    for (const [model, tenant] of pairs) {
      const asked = resolve(model, tenant)
      answer(model)
      await asked
    }
    expect(questions.map(({ model }) => model)).toEqual(pairs.map(([model]) => model))
  })

  it('that was not wanted for longest is forgotten first', async () => {
    const { resolve, questions, answer } = open({ maxAnswers: 2 })
    for (const model of ['a', 'b', 'a', 'c', 'a', 'b']) {
      const before = questions.length
      const asked = resolve(model, null)
      if (questions.length > before) answer(model)
      await asked
    }
    expect(questions.map(({ model }) => model)).toEqual(['a', 'b', 'c', 'b'])
  })
})

describe('a refusal', () => {
  it.each(refusals)('is remembered for a shorter time: $code', async (refusal) => {
    const { resolve, questions, refuse, wait, answer } = open({ foundMs: 1_000, refusedMs: 10 })
    const first = resolve('a', null)
    refuse(refusal)
    await expect(first).rejects.toBe(refusal)
    wait(9)
    await expect(resolve('a', null)).rejects.toBe(refusal)
    expect(questions).toHaveLength(1)
    wait(2)
    const second = resolve('a', null)
    const model = answer('a')
    expect(await second).toBe(model)
  })

  it.each([
    new IsoplexError('STORAGE_FULL', 'Full.'),
    new IsoplexError('INTERNAL', 'Broken.'),
    new Error('broken'),
  ])('that may be gone at once is not remembered: %s', async (error) => {
    const { resolve, questions, refuse } = open()
    for (const expected of [1, 2]) {
      const asked = resolve('a', null)
      refuse(error)
      await expect(asked).rejects.toBe(error)
      expect(questions).toHaveLength(expected)
    }
  })

  it('reaches all who wait for it', async () => {
    const { resolve, refuse, questions } = open()
    const all = Array.from({ length: 5 }, () => resolve('a', null))
    refuse(refusals[0])
    const outcomes = await Promise.allSettled(all)
    expect(outcomes.map(({ status }) => status)).toEqual(Array(5).fill('rejected'))
    expect(questions).toHaveLength(1)
  })
})

describe('the backend', () => {
  it('is asked no more questions at a time than it may, in the order in which they came', async () => {
    const { resolve, questions } = open({ maxQuestions: 2 })
    const asked = ['a', 'b', 'c', 'd', 'e'].map((model) => resolve(model, null).then(({ info }) => info.id))
    const settled: string[] = []
    for (const one of asked) void one.then((id) => settled.push(id))
    for (let index = 0; index < asked.length; index += 1) {
      expect(questions.length).toBe(Math.min(index + 2, asked.length))
      const { model, resolve: reply } = questions[index] as (typeof questions)[number]
      reply({ key: model, info: { id: model, version: '1', path: '/models' } })
      await asked[index]
      // A question that comes in just now waits behind those that wait already.
      await Promise.resolve()
    }
    expect(await Promise.all(asked)).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(settled).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('never has more open questions than it may, however the answers come', async () => {
    let open = 0
    let most = 0
    const resolve = createResolutionCache(
      async (id) => {
        open += 1
        most = Math.max(most, open)
        for (let turn = 0; turn < id.length % 4; turn += 1) await Promise.resolve()
        open -= 1
        if (id.length % 3 === 0) throw new Error('broken')
        return { key: id, info: { id, version: '1', path: '/models' } }
      },
      { maxQuestions: 3 },
    )
    const asked = Array.from({ length: 200 }, async (_, index) => {
      for (let turn = 0; turn < index % 7; turn += 1) await Promise.resolve()
      return resolve('x'.repeat(index + 1), null)
    })
    await Promise.allSettled(asked)
    expect(most).toBe(3)
    expect(open).toBe(0)
  })
})
