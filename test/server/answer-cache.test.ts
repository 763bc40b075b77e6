import { describe, expect, it } from 'vitest'
import { type AnyIsoplexError, IsoplexError } from '../../runtime/error/error.ts'
import { type AnswerCacheOptions, createAnswerCache } from '../../runtime/server/answer-cache.ts'

/** Somebody who answers when he is told to, and a clock that goes on when it is told to. */
function open(options: AnswerCacheOptions = {}) {
  let nowMs = 1_000
  const questions: (PromiseWithResolvers<object> & { readonly question: string })[] = []
  const cached = createAnswerCache(
    (question: string) => {
      const asked = Promise.withResolvers<object>()
      questions.push({ ...asked, question })
      return asked.promise
    },
    { ...options, now: () => nowMs },
  )
  return {
    ask: (key: string) => cached(key, key),
    questions,
    wait: (ms: number): void => {
      nowMs += ms
    },
    /** Answers the question that was asked last. */
    answer: (name: string): object => {
      const answer = { name }
      questions.at(-1)?.resolve(answer)
      return answer
    },
    refuse: (error: unknown): void => questions.at(-1)?.reject(error),
  }
}

const refusals: readonly AnyIsoplexError[] = [
  new IsoplexError('MODEL_NOT_FOUND', 'No.', { details: { model: 'a' } }),
  new IsoplexError('MODEL_FORBIDDEN', 'No.', { details: { model: 'a' } }),
  new IsoplexError('ARTIFACT_BROKEN', 'No.', { details: { reason: 'link' } }),
  new IsoplexError('TOKEN_INVALID', 'No.', { details: { reason: 'refused' } }),
  new IsoplexError('BACKEND_BROKEN', 'No.'),
]

describe('an answer', () => {
  it('is remembered for its time, and asked for again after it', async () => {
    const { ask, questions, answer, wait } = open({ foundMs: 100 })
    const first = ask('a')
    const model = answer('a')
    expect(await first).toBe(model)
    wait(99)
    expect(await ask('a')).toBe(model)
    expect(questions).toHaveLength(1)
    wait(2)
    const second = ask('a')
    expect(questions).toHaveLength(2)
    const newer = answer('a')
    expect(await second).toBe(newer)
  })

  it('is asked for once, however many want it at a time', async () => {
    const { ask, questions, answer } = open()
    const all = Array.from({ length: 50 }, () => ask('a'))
    const model = answer('a')
    expect(new Set(await Promise.all(all))).toEqual(new Set([model]))
    expect(questions).toHaveLength(1)
  })

  it('that was not wanted for longest is forgotten first', async () => {
    const { ask, questions, answer } = open({ maxAnswers: 2 })
    for (const model of ['a', 'b', 'a', 'c', 'a', 'b']) {
      const before = questions.length
      const asked = ask(model)
      if (questions.length > before) answer(model)
      await asked
    }
    expect(questions.map(({ question }) => question)).toEqual(['a', 'b', 'c', 'b'])
  })
})

describe('a refusal', () => {
  it.each(refusals)('is remembered for a shorter time: $code', async (refusal) => {
    const { ask, questions, refuse, wait, answer } = open({ foundMs: 1_000, refusedMs: 10 })
    const first = ask('a')
    refuse(refusal)
    await expect(first).rejects.toBe(refusal)
    wait(9)
    await expect(ask('a')).rejects.toBe(refusal)
    expect(questions).toHaveLength(1)
    wait(2)
    const second = ask('a')
    const model = answer('a')
    expect(await second).toBe(model)
  })

  it('for want of an answer is remembered for a moment', async () => {
    const { ask, questions, refuse, wait, answer } = open({ refusedMs: 1_000, unavailableMs: 10 })
    const unavailable = new IsoplexError('BACKEND_UNAVAILABLE', 'No.', { details: { retryAfterMs: 1_000 } })
    const first = ask('a')
    refuse(unavailable)
    await expect(first).rejects.toBe(unavailable)
    await expect(ask('a')).rejects.toBe(unavailable)
    expect(questions).toHaveLength(1)
    wait(11)
    const second = ask('a')
    const found = answer('a')
    expect(await second).toBe(found)
  })

  it.each([
    new IsoplexError('STORAGE_FULL', 'Full.'),
    new IsoplexError('INTERNAL', 'Broken.'),
    new Error('broken'),
  ])('that may be gone at once is not remembered: %s', async (error) => {
    const { ask, questions, refuse } = open()
    for (const expected of [1, 2]) {
      const asked = ask('a')
      refuse(error)
      await expect(asked).rejects.toBe(error)
      expect(questions).toHaveLength(expected)
    }
  })

  it('reaches all who wait for it', async () => {
    const { ask, refuse, questions } = open()
    const all = Array.from({ length: 5 }, () => ask('a'))
    refuse(refusals[0])
    const outcomes = await Promise.allSettled(all)
    expect(outcomes.map(({ status }) => status)).toEqual(Array(5).fill('rejected'))
    expect(questions).toHaveLength(1)
  })
})

describe('the backend', () => {
  it('is asked no more questions at a time than it may, in the order in which they came', async () => {
    const { ask, questions } = open({ maxQuestions: 2 })
    const names = ['a', 'b', 'c', 'd', 'e']
    const asked = names.map(async (name) => {
      await ask(name)
      return name
    })
    const settled: string[] = []
    for (const one of asked) void one.then((name) => settled.push(name))
    for (let index = 0; index < asked.length; index += 1) {
      expect(questions.length).toBe(Math.min(index + 2, asked.length))
      questions[index]?.resolve({})
      await asked[index]
      // A question that comes in just now waits behind those that wait already.
      await Promise.resolve()
    }
    expect(questions.map(({ question }) => question)).toEqual(names)
    expect(settled).toEqual(names)
  })

  it('never has more open questions than it may, however the answers come', async () => {
    let open = 0
    let most = 0
    const cached = createAnswerCache(
      async (id: string) => {
        open += 1
        most = Math.max(most, open)
        for (let turn = 0; turn < id.length % 4; turn += 1) await Promise.resolve()
        open -= 1
        if (id.length % 3 === 0) throw new Error('broken')
        return id
      },
      { maxQuestions: 3 },
    )
    const asked = Array.from({ length: 200 }, async (_, index) => {
      for (let turn = 0; turn < index % 7; turn += 1) await Promise.resolve()
      const question = 'x'.repeat(index + 1)
      return cached(question, question)
    })
    await Promise.allSettled(asked)
    expect(most).toBe(3)
    expect(open).toBe(0)
  })
})
