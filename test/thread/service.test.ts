import { once } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { IsoplexError } from '../../runtime/error/error.ts'
import type { ServiceAnswer, ServiceMethods, ServiceQuestion } from '../../runtime/thread/question.ts'
import { answerQuestions } from '../../runtime/thread/service.ts'

interface Reporting {
  readonly onProgress: (progress: unknown) => void
}

const methods: ServiceMethods = {
  add: async (a: number, b: number) => a + b,
  count: async ({ onProgress }: Reporting) => [1, 2].map(onProgress).length,
  refuse: async () => {
    throw new IsoplexError('JOB_NOT_FOUND', 'There is no such job.')
  },
  fail: async () => {
    throw new Error('a reason for the log')
  },
}

describe('answerQuestions', () => {
  let asking: MessagePort
  let answering: MessagePort
  let failures: string[]

  beforeEach(() => {
    const { port1, port2 } = new MessageChannel()
    asking = port1
    answering = port2
    failures = []
  })
  afterEach(() => asking.close())

  function serve(served: Promise<ServiceMethods>): void {
    answerQuestions({ port: answering, methods: served, onFailure: (method) => void failures.push(method) })
  }

  async function ask(question: Omit<ServiceQuestion, 'id'>): Promise<ServiceAnswer> {
    asking.postMessage({ id: 7, ...question })
    const [answer] = (await once(asking, 'message')) as [ServiceAnswer]
    return answer
  }

  it('answers by name, under the number of the question', async () => {
    serve(Promise.resolve(methods))
    expect(await ask({ method: 'add', parameters: [1, 2], reports: false })).toEqual({ id: 7, value: 3 })
  })

  it('lets a question wait until the methods are there', async () => {
    const { promise, resolve } = Promise.withResolvers<ServiceMethods>()
    serve(promise)
    const answer = ask({ method: 'add', parameters: [2, 2], reports: false })
    resolve(methods)
    expect(await answer).toEqual({ id: 7, value: 4 })
  })

  it('tells each why where the methods cannot be had', async () => {
    serve(Promise.reject(new IsoplexError('STORAGE_FULL', 'full')))
    const answer = await ask({ method: 'add', parameters: [], reports: false })
    expect(answer).toEqual({ id: 7, error: { code: 'STORAGE_FULL', message: 'full' } })
    expect(failures).toEqual(['add'])
  })

  it('passes on what a method reports before its answer', async () => {
    serve(Promise.resolve(methods))
    const answers: ServiceAnswer[] = []
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    asking.on('message', (answer: ServiceAnswer) => {
      answers.push(answer)
      if ('value' in answer) resolve()
    })
    asking.postMessage({ id: 1, method: 'count', parameters: [{}], reports: true })
    await ended
    expect(answers).toEqual([
      { id: 1, progress: 1 },
      { id: 1, progress: 2 },
      { id: 1, value: 2 },
    ])
  })

  it('hands on a refusal, which is no failure', async () => {
    serve(Promise.resolve(methods))
    const answer = await ask({ method: 'refuse', parameters: [], reports: false })
    expect(answer).toEqual({ id: 7, error: { code: 'JOB_NOT_FOUND', message: 'There is no such job.' } })
    expect(failures).toEqual([])
  })

  it('hides the text of what is none of ours, and says that it failed', async () => {
    serve(Promise.resolve(methods))
    const answer = await ask({ method: 'fail', parameters: [], reports: false })
    expect(JSON.stringify(answer)).not.toContain('a reason')
    expect(answer).toMatchObject({ id: 7, error: { code: 'INTERNAL' } })
    expect(failures).toEqual(['fail'])
  })
})
