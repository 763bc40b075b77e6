import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Reply, until } from '../support/server.ts'
import { startTenantServer, type TenantServer } from './tenant-project.ts'

const share = 6
const queued = 3
/** What a runner with a model has in hand: a batch that runs, and one ahead. */
const inHand = 2

let scene: TenantServer

beforeEach(async () => {
  const limits = ['--max-requests-per-principal', String(share), '--max-queued-requests', String(queued)]
  scene = await startTenantServer(...limits)
  expect(await scene.ask({})).toMatchObject({ status: 200 })
})
afterEach(() => scene[Symbol.asyncDispose]())

/** Has so many requests of the tenant `good` wait or run; each is where it belongs before the next is sent. */
async function holdMany(count: number): Promise<Promise<Reply>[]> {
  const held: Promise<Reply>[] = []
  const { ask, counted } = scene
  while (held.length < count) {
    held.push(ask({ tenant: 'good', act: 'hold' }))
    await until(
      async () => (await counted('principal_request_total{principal="tenant:good"}')) === held.length,
    )
    const waiting = Math.max(0, held.length - inHand)
    const series = 'inference_pending_request_count{function="acting",model="one",version="1"}'
    await until(async () => (await counted(series)) === waiting)
  }
  return held
}

const letGo = (): Promise<void> => writeFile(join(scene.project.directory, 'hold'), '')

function expectRefusal(reply: Reply, status: number, code: string): void {
  expect(reply).toMatchObject({ status, json: { code } })
  expect(reply.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
}

describe('a principal over its share', () => {
  it('gets 429 and when to come again, while others are served', async () => {
    const { ask, counted } = scene
    const held = await holdMany(inHand + queued)
    const other = ask({ tenant: 'good', model: 'two', path: '/other', act: 'hold' })
    await until(async () => (await counted('principal_request_total{principal="tenant:good"}')) === share)
    expectRefusal(await ask({ tenant: 'good', path: '/other' }), 429, 'SHARE_EXCEEDED')
    for (const asking of [{ tenant: 'bad', model: 'two' }, { path: '/other' }])
      expect(await ask(asking)).toMatchObject({ status: 200 })
    await letGo()
    for (const reply of [...held, other]) expect((await reply).status).toBe(200)
    expect(await ask({ tenant: 'good', path: '/other' })).toMatchObject({ status: 200 })
    expect(await counted('principal_rejection_total{principal="tenant:good",reason="SHARE_EXCEEDED"}')).toBe(
      1,
    )
  })
})

describe('a full queue', () => {
  it('is 503 for whoever fills it alone, and makes room for another', async () => {
    const { ask, counted } = scene
    const held = await holdMany(inHand + queued)
    expectRefusal(await ask({ tenant: 'good' }), 503, 'QUEUE_FULL')
    const other = ask({ tenant: 'bad' })
    // The last of those who wait makes room for it.
    expectRefusal(await (held.at(-1) ?? other), 429, 'SHARE_EXCEEDED')
    await letGo()
    const replies = await Promise.all([other, ...held.slice(0, -1)])
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200))
    expect(await counted('request_rejection_total{reason="QUEUE_FULL"}')).toBe(1)
  })
})
