import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AnyIsoplexError } from '../../runtime/error/error.ts'
import { deliver } from '../../runtime/replica/delivery.ts'
import type { Deployment } from '../../runtime/replica/deployment.ts'
import { ReplicaPool } from '../../runtime/replica/pool.ts'
import type { RequestQueue } from '../../runtime/replica/queue.ts'
import { type Answer, Ticket } from '../../runtime/replica/ticket.ts'
import type { Suspect } from '../../runtime/replica/trial-room.ts'
import { Ward } from '../../runtime/replica/ward.ts'
import { until } from '../support/server.ts'
import { makeReplicaWorkshop, modelOf, type ReplicaWorkshop } from './replica-workshop.ts'
import { bytesOf, headOf } from './request-head.ts'
import { makeQueue, unknownCaller } from './work.ts'

const acting = `
export default defineFunction({
  input: Type.Any(),
  handler: async function ({ input: { act } }) {
    if (act === 'kill') process.kill(process.pid, 'SIGKILL')
    if (act === 'exit') process.exit(0)
    if (act === 'throw') throw new Error('as told')
    if (act === 'hang') await new Promise(() => {})
    if (act === 'stream') return (async function* () { yield 1; await new Promise(() => {}) })()
    return { pid: process.pid }
  },
})
`
const loading = (load: string): string => `
export default defineInference({ model: multiplexed(() => { ${load} }), infer: () => 'inferred' })
`

let workshop: ReplicaWorkshop
let pool: ReplicaPool
let ward: Ward
let told: string[]
let nextTicket: number

beforeEach(async () => {
  workshop = await makeReplicaWorkshop()
  told = []
  nextTicket = 1
  const unheard = { frame: () => undefined, ended: () => undefined }
  pool = new ReplicaPool(workshop.options, {
    ...unheard,
    replicaReady: () => undefined,
    spareReady: () => ward.proceed(),
    leaving: () => undefined,
  })
  ward = new Ward({
    pool,
    loadTimeoutMs: 1_500,
    events: {
      convicted: ({ queue, ticket }) => {
        told.push(`convicted ${queue.deployment.name}`)
        ticket?.fail(new Error('convicted'))
      },
      loadAcquitted: ({ deployment }) => told.push(`acquitted ${deployment.name}`),
      loadFailed: ({ deployment }, { code }: AnyIsoplexError) => told.push(`${code} ${deployment.name}`),
      frame: (link, frame) => deliver(link, frame, () => undefined),
      changed: () => undefined,
    },
  })
})
afterEach(async () => {
  await pool.close(0)
  await workshop[Symbol.asyncDispose]()
})

const queueOf = (deployment: Deployment, model: string | null = null): RequestQueue =>
  makeQueue(deployment, model === null ? null : modelOf(model))

interface Case {
  readonly suspect: Suspect
  readonly ticket: Ticket
  readonly outcome: Promise<unknown>
}

function caseOf(queue: RequestQueue, act: string): Case {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const work = {
    deployment: queue.deployment,
    model: queue.model,
    head: headOf({ contentType: 'application/json' }),
    body: bytesOf(JSON.stringify({ act })),
    signal: new AbortController().signal,
    caller: unknownCaller,
  }
  const ticket = new Ticket(nextTicket++, work, performance.now(), resolve, reject)
  const outcome = promise.then(
    ({ body }) => (body instanceof ReadableStream ? 'stream' : new Response(body).json()),
    (error: Error) => error.message,
  )
  return { suspect: { queue, ticket }, ticket, outcome }
}

const isolated = (): number => [...pool.processes].filter(({ state }) => state === 'isolated').length

describe('a suspect', () => {
  it('is convicted where it dies alone, and those beside it are answered', async () => {
    const queue = queueOf(await workshop.deploy('acting', acting))
    const cases = ['', 'kill', '', 'exit', ''].map((act) => caseOf(queue, act))
    for (const { suspect } of cases) ward.admit(suspect)
    const outcomes = await Promise.all(cases.map(({ outcome }) => outcome))
    const answered = { pid: expect.any(Number) }
    expect(outcomes).toEqual([answered, 'convicted', answered, 'convicted', answered])
    expect(told).toEqual(['convicted acting', 'convicted acting'])
  }, 20_000)

  it('is answered by a replica that nobody else uses, with what its function says', async () => {
    const queue = queueOf(await workshop.deploy('acting', acting))
    const [fine, failing] = [caseOf(queue, ''), caseOf(queue, 'throw')]
    ward.admit(fine.suspect)
    ward.admit(failing.suspect)
    const { pid } = (await fine.outcome) as { pid: number }
    expect(pool.replicas.map((replica) => replica.pid)).not.toContain(pid)
    expect(await failing.outcome).toContain('Something went wrong')
    expect(told).toEqual([])
  })

  it('leaves by itself when it is settled before its trial', async () => {
    const queue = queueOf(await workshop.deploy('acting', acting))
    const [hanging, waiting, last] = [caseOf(queue, 'hang'), caseOf(queue, 'kill'), caseOf(queue, '')]
    for (const { suspect } of [hanging, waiting, last]) ward.admit(suspect)
    expect(ward.size).toBe(3)
    waiting.ticket.fail(new Error('gone'))
    expect(ward.size).toBe(2)
    await until(() => hanging.ticket.link !== null)
    hanging.ticket.fail(new Error('too late'))
    for (const link of pool.links) pool.terminate(link, 'the test says so')
    expect(await last.outcome).toEqual({ pid: expect.any(Number) })
    expect(told).toEqual([])
  })

  it('that streams its answer does not hold up the next, which has a replica of its own', async () => {
    const queue = queueOf(await workshop.deploy('acting', acting))
    const [streaming, next] = [caseOf(queue, 'stream'), caseOf(queue, '')]
    ward.admit(streaming.suspect)
    ward.admit(next.suspect)
    expect(await streaming.outcome).toBe('stream')
    expect(await next.outcome).toEqual({ pid: expect.any(Number) })
  })
})

describe('a load that is suspected', () => {
  it('is convicted where its replica dies of it, and acquitted where it comes up', async () => {
    const deadly = queueOf(
      await workshop.deploy('deadly', loading("process.kill(process.pid, 'SIGKILL')")),
      'a',
    )
    const fine = queueOf(await workshop.deploy('fine', loading('return 1')), 'a')
    ward.admit({ queue: deadly, ticket: null })
    ward.admit({ queue: fine, ticket: null })
    await until(() => told.length === 2)
    expect(told).toEqual(['convicted deadly', 'acquitted fine'])
  })

  it('fails where it fails in an orderly way, or takes too long', async () => {
    const throwing = queueOf(await workshop.deploy('throwing', loading("throw new Error('no')")), 'a')
    const hanging = queueOf(await workshop.deploy('hanging', loading('return new Promise(() => {})')), 'a')
    ward.admit({ queue: throwing, ticket: null })
    ward.admit({ queue: hanging, ticket: null })
    await until(() => told.length === 2)
    expect(told).toEqual(['MODEL_BROKEN throwing', 'MODEL_BROKEN hanging'])
  })
})

it('has a replica only while there is something to try', async () => {
  const queue = queueOf(await workshop.deploy('acting', acting))
  expect(isolated()).toBe(0)
  const { suspect, outcome } = caseOf(queue, '')
  ward.admit(suspect)
  await outcome
  await until(() => isolated() === 0)
  expect(ward.size).toBe(0)
})
