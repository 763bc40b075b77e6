import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Reply, until } from '../support/server.ts'
import { type BatchServer, fullBatch, startBatchServer } from './batch-project.ts'

let scene: BatchServer
let rounds = 0

beforeAll(async () => {
  scene = await startBatchServer()
})
afterAll(() => scene[Symbol.asyncDispose]())

/** Sends one full batch, each with what it is to do, while the runner is held; gives the replies in that order. */
async function askTogether(acts: readonly (string | undefined)[], path = '/batched'): Promise<Reply[]> {
  rounds += 1
  const holder = `holder${rounds}`
  const held = scene.ask(holder, 'hold', { path })
  await until(async () => (await scene.notes()).includes(`began ${holder}\n`))
  const replies = acts.map((act, index) => scene.ask(`${rounds}.${index}`, act, { path }))
  await scene.turns()
  await scene.letGo(holder)
  expect(await held).toMatchObject({ status: 200, json: { name: holder, together: 1 } })
  return Promise.all(replies)
}

/** Expects that the function answers on, a full batch at a time. */
async function expectSound(path = '/batched'): Promise<void> {
  const replies = await askTogether(Array.from({ length: fullBatch }), path)
  expect(replies.map(({ json }) => json.together)).toEqual(Array.from({ length: fullBatch }, () => fullBatch))
}

/** How many replicas have died, as the log tells. */
const deathsOf = ({ server }: BatchServer): number => server.log().match(/A .*replica .*died/g)?.length ?? 0

const statusesOf = (replies: readonly Reply[]): number[] => replies.map(({ status }) => status)

describe('a batch in which one input', () => {
  it('does not fit the schema is answered without it', async () => {
    const holder = 'schema'
    const held = scene.ask(holder, 'hold')
    await until(async () => (await scene.notes()).includes(`began ${holder}\n`))
    const good = [1, 2, 3].map((index) => scene.ask(`good${index}`))
    const bad = scene.server.call('/batched', { json: { name: 5 } })
    await scene.turns()
    await scene.letGo(holder)
    expect((await held).status).toBe(200)
    expect(await bad).toMatchObject({
      status: 422,
      json: { code: 'INPUT_INVALID', issues: [{ path: '/name' }] },
    })
    for (const reply of good) expect((await reply).json).toMatchObject({ together: 3 })
  })

  it('gets an Error for its result fails for it alone', async () => {
    const replies = await askTogether([undefined, 'error', undefined, undefined])
    expect(statusesOf(replies)).toEqual([200, 500, 200, 200])
    expect(replies[1]?.json.code).toBe('INTERNAL')
    expect(replies[1]?.text).not.toContain('secret')
    expect(replies[0]?.json.together).toBe(fullBatch)
  })

  it.each(['wrong', 'missing'])(
    'gets a result that the schema refuses fails for it alone: %s',
    async (act) => {
      const replies = await askTogether([undefined, undefined, act, undefined])
      expect(statusesOf(replies)).toEqual([200, 200, 500, 200])
      expect(replies[2]?.json).toMatchObject({ code: 'OUTPUT_INVALID' })
    },
  )

  it('kills its replica fails for it alone, though all were in hand', async () => {
    const replies = await askTogether([undefined, 'kill', undefined, undefined])
    expect(statusesOf(replies)).toEqual([200, 503, 200, 200])
    expect(replies[1]?.json.code).toBe('REPLICA_CRASHED')
    await expectSound()
  })
})

describe('a batch whose call', () => {
  it.each(['throw', 'few', 'many', 'nothing', 'object', 'text'])(
    'gives no result for each fails as a whole, and no other: %s',
    async (act) => {
      const before = deathsOf(scene)
      const replies = await askTogether([undefined, act, undefined, undefined])
      expect(statusesOf(replies)).toEqual([500, 500, 500, 500])
      for (const { json, text } of replies) {
        expect(json.code).toBe('INTERNAL')
        expect(text).not.toContain('secret')
      }
      await expectSound()
      expect(deathsOf(scene)).toBe(before)
    },
  )

  it.each(['hang', 'loop'])(
    'never ends fails at its deadline, its thread is ended, and the next is answered: %s',
    async (act) => {
      await expectSound('/hurried')
      const before = deathsOf(scene)
      const replies = await askTogether([undefined, act, undefined, undefined], '/hurried')
      expect(statusesOf(replies)).toEqual([504, 504, 504, 504])
      expect(replies[0]?.json.code).toBe('DEADLINE_EXCEEDED')
      await until(async () => (await scene.ask('next', undefined, { path: '/hurried' })).status === 200)
      await expectSound('/hurried')
      expect(deathsOf(scene)).toBe(before)
    },
  )
})
