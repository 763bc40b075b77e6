import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/server.ts'
import { type BatchServer, fullBatch, startBatchServer } from './batch-project.ts'

let scene: BatchServer

beforeAll(async () => {
  scene = await startBatchServer()
})
afterAll(() => scene[Symbol.asyncDispose]())

/** Holds the runner with one request, which is let go by its name. */
async function hold(name: string): Promise<{ readonly answered: Promise<unknown> }> {
  const answered = scene.ask(name, 'hold')
  await until(async () => (await scene.notes()).includes(`began ${name}\n`))
  return { answered }
}

/** Sends a request whose client can leave. */
function askLeaving(name: string, act?: string): { leave(): void; readonly answered: Promise<unknown> } {
  const client = new AbortController()
  const answered = scene.ask(name, act, { signal: client.signal }).catch(() => 'gone')
  return { leave: () => client.abort(), answered }
}

const callsOf = async (name: string): Promise<string[]> =>
  (await scene.notes()).split('\n').filter((line) => line.startsWith('began') && line.includes(name))

describe('a client that leaves while its request lies with the runner in a batch', () => {
  it('is left out of it, and the others are answered', async () => {
    const { answered } = await hold('some')
    const leaving = askLeaving('some-left')
    const staying = [1, 2, 3].map((index) => scene.ask(`some-stays${index}`))
    await scene.turns()
    leaving.leave()
    await scene.turns()
    await scene.letGo('some')
    await answered
    for (const reply of staying) expect((await reply).json).toMatchObject({ together: fullBatch - 1 })
    expect(await leaving.answered).toBe('gone')
    expect(await callsOf('some-left')).toEqual([])
  })

  it('and was its last one has the batch never run', async () => {
    const { answered } = await hold('whole')
    const leaving = Array.from({ length: fullBatch }, (_, index) => askLeaving(`whole-left${index}`))
    await scene.turns()
    for (const { leave } of leaving) leave()
    await scene.turns()
    await scene.letGo('whole')
    await answered
    expect((await scene.ask('whole-next')).status).toBe(200)
    expect(await callsOf('whole-left')).toEqual([])
  })
})

describe('clients that leave while their batch runs', () => {
  it('have the function told once all of them have gone, and not before', async () => {
    const { answered } = await hold('running')
    const leaving = Array.from({ length: fullBatch }, (_, index) => askLeaving(`r${index}`, 'hold'))
    await scene.turns()
    await scene.letGo('running')
    await answered
    await until(async () => (await callsOf('r0')).length === 1)
    const [last, ...first] = leaving
    for (const { leave } of first) leave()
    await scene.turns()
    expect(await scene.notes()).not.toMatch(/^(left|ended) .*r0/m)
    last?.leave()
    await until(async () => /^left .*r0/m.test(await scene.notes()))
    expect((await scene.ask('running-next')).status).toBe(200)
  })
})

describe('a deadline', () => {
  it('ends the wait of what runs, lies with the runner and is queued; only what runs has been seen', async () => {
    const path = '/hurried'
    expect((await scene.ask('late-warm', undefined, { path })).status).toBe(200)
    const running = scene.ask('late-runs', 'hang', { path })
    await until(async () => (await callsOf('late-runs')).length === 1)
    const batched = Array.from({ length: fullBatch }, (_, index) =>
      scene.ask(`late-batched${index}`, 'x', { path }),
    )
    await scene.turns()
    const queued = scene.ask('late-queued', 'x', { path })
    for (const reply of await Promise.all([running, ...batched, queued]))
      expect(reply).toMatchObject({ status: 504, json: { code: 'DEADLINE_EXCEEDED' } })
    await until(async () => (await scene.ask('late-next', undefined, { path })).status === 200)
    expect(await callsOf('late-batched')).toEqual([])
    expect(await callsOf('late-queued')).toEqual([])
  })
})
