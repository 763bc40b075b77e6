import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { IsoplexError } from '../../runtime/error/error.ts'
import { Admission, type AdmissionOptions } from '../../runtime/replica/admission.ts'
import type { Deployment } from '../../runtime/replica/deployment.ts'
import type { RequestQueue } from '../../runtime/replica/queue.ts'
import type { Scheduler, SchedulerOptions } from '../../runtime/replica/scheduler.ts'
import { Tallies } from '../../runtime/replica/tallies.ts'
import { single } from './acting-functions.ts'
import { ask, makeReplicaWorkshop, outcomeOf, type ReplicaWorkshop } from './replica-workshop.ts'
import { headOf } from './request-head.ts'
import { deploymentOf, makeQueue, ticketAt, type WatchedTicket, workOf } from './work.ts'

let tallies: Tallies

function open(limits: Partial<AdmissionOptions> = {}): Admission {
  tallies = new Tallies()
  return new Admission({ maxQueuedRequests: 100, maxRequestsPerPrincipal: 100, tallies, ...limits })
}

function wait(queue: RequestQueue, principal: string): WatchedTicket {
  const watched = ticketAt(1, 1, workOf({ head: headOf({ principal }) }))
  queue.add(watched.ticket)
  return watched
}

let workshop: ReplicaWorkshop

beforeEach(async () => {
  workshop = await makeReplicaWorkshop()
})
afterEach(() => workshop[Symbol.asyncDispose]())

async function openSingle(
  facts: Partial<Deployment> = {},
  options: Partial<SchedulerOptions> = {},
): Promise<{ scheduler: Scheduler; deployment: Deployment }> {
  return { scheduler: workshop.open(options), deployment: await workshop.deploy('single', single, facts) }
}

describe('a principal', () => {
  it('has as many requests at a time as it may, in all queues together', () => {
    const admission = open({ maxRequestsPerPrincipal: 2 })
    const [one, two] = [makeQueue(deploymentOf({ id: 'one' })), makeQueue(deploymentOf({ id: 'two' }))]
    expect([admission.admit(one, 'a'), admission.admit(two, 'a')]).toEqual([null, null])
    expect(admission.admit(one, 'a')?.code).toBe('SHARE_EXCEEDED')
    expect(admission.admit(one, 'b')).toBeNull()
    admission.release('a')
    expect(admission.admit(two, 'a')).toBeNull()
  })

  it('has the calls of its requests beside its share, but within the bounds of queues', () => {
    const admission = open({ maxRequestsPerPrincipal: 1, maxQueuedRequests: 1 })
    const queue = makeQueue(deploymentOf())
    expect([admission.admit(queue, 'a'), admission.admitCall(queue, 'a')]).toEqual([null, null])
    admission.release('a')
    expect([admission.admit(queue, 'a'), tallies.principal('a').requests]).toEqual([null, 2])
    wait(queue, 'a')
    expect(admission.admitCall(queue, 'a')?.code).toBe('QUEUE_FULL')
    for (let count = 0; count < 3; count += 1) admission.convict(queue, 'b')
    expect(admission.admitCall(queue, 'b')?.code).toBe('QUARANTINED')
    expect([...tallies.rejections.entries]).toEqual([
      ['QUEUE_FULL', 1],
      ['QUARANTINED', 1],
    ])
  })

  it('is counted with what it asked for and what it was refused', () => {
    const admission = open({ maxRequestsPerPrincipal: 1 })
    for (let count = 0; count < 3; count += 1) admission.admit(makeQueue(deploymentOf()), 'a')
    expect(tallies.principal('a').requests).toBe(3)
    expect([...tallies.principal('a').rejections.entries]).toEqual([['SHARE_EXCEEDED', 2]])
    expect([...tallies.rejections.entries]).toEqual([['SHARE_EXCEEDED', 2]])
  })

  it('is kept out of a function and a model after it has ended replicas there', () => {
    const admission = open()
    const [one, two] = [makeQueue(deploymentOf({ name: 'one' })), makeQueue(deploymentOf({ name: 'two' }))]
    for (let count = 0; count < 3; count += 1) admission.convict(one, 'a')
    const refusal = admission.admit(one, 'a')
    expect(refusal).toMatchObject({ code: 'QUARANTINED', details: { retryAfterMs: expect.any(Number) } })
    expect([admission.admit(two, 'a'), admission.admit(one, 'b')]).toEqual([null, null])
  })
})

describe('a full queue', () => {
  it('refuses whoever is alone in it', () => {
    const admission = open({ maxQueuedRequests: 2 })
    const queue = makeQueue(deploymentOf())
    for (const principal of ['a', 'a']) wait(queue, principal)
    expect(admission.admit(queue, 'a')?.code).toBe('QUEUE_FULL')
  })

  it('takes one in who has less there, in the place of the last of whoever has the most', () => {
    const admission = open({ maxQueuedRequests: 3 })
    const queue = makeQueue(deploymentOf())
    const [first, second, third] = ['a', 'a', 'a'].map((principal) => wait(queue, principal))
    expect(admission.admit(queue, 'b')).toBeNull()
    expect(third?.errors).toMatchObject([{ code: 'SHARE_EXCEEDED' }])
    expect([first?.errors, second?.errors]).toEqual([[], []])
    wait(queue, 'b')
    expect(admission.admit(queue, 'a')?.code).toBe('SHARE_EXCEEDED')
  })
})

describe('a principal with real requests', () => {
  it('is refused while it has as many requests as it may, and nobody else is', async () => {
    const { scheduler, deployment } = await openSingle({}, { maxRequestsPerPrincipal: 2 })
    const waiting = [1, 2].map(() => outcomeOf(scheduler, deployment, {}, { principal: 'a' }))
    expect(await outcomeOf(scheduler, deployment, {}, { principal: 'a' })).toBe('SHARE_EXCEEDED')
    expect(await outcomeOf(scheduler, deployment, {}, { principal: 'b' })).toHaveProperty('pid')
    for (const outcome of await Promise.all(waiting)) expect(outcome).toHaveProperty('pid')
    expect(await outcomeOf(scheduler, deployment, {}, { principal: 'a' })).toHaveProperty('pid')
  })

  it('makes room in a full queue for one who has less waiting there', async () => {
    const { scheduler, deployment } = await openSingle({}, { maxQueuedRequests: 4 })
    const noisy = [1, 2, 3, 4].map(() => outcomeOf(scheduler, deployment, {}, { principal: 'noisy' }))
    const quiet = outcomeOf(scheduler, deployment, {}, { principal: 'quiet' })
    expect(await outcomeOf(scheduler, deployment, {}, { principal: 'noisy' })).toBe('SHARE_EXCEEDED')
    expect(await noisy[3]).toBe('SHARE_EXCEEDED')
    for (const outcome of await Promise.all([...noisy.slice(0, 3), quiet]))
      expect(outcome).toHaveProperty('pid')
  })

  it('is told how long what waits will take', async () => {
    const { scheduler, deployment } = await openSingle({}, { maxQueuedRequests: 3 })
    for (let count = 0; count < 3; count += 1) await outcomeOf(scheduler, deployment, { ms: 700 })
    const waiting = [1, 2, 3, 4].map(() => outcomeOf(scheduler, deployment, { ms: 700 }))
    const refusal = await ask(scheduler, deployment, {}).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'QUEUE_FULL', details: { retryAfterMs: expect.any(Number) } })
    const { retryAfterMs } = (refusal as IsoplexError<'QUEUE_FULL'>).details
    expect(retryAfterMs).toBeGreaterThanOrEqual(2_000)
    expect(retryAfterMs).toBeLessThan(60_000)
    await Promise.all(waiting)
  })

  it('whose requests end replicas again and again is kept out of that function, and nobody else is', async () => {
    const { scheduler, deployment } = await openSingle()
    const other = await workshop.deploy('other', single)
    const kill = (): Promise<unknown> =>
      outcomeOf(scheduler, deployment, { act: 'kill' }, { principal: 'bad' })
    for (let count = 0; count < 3; count += 1) expect(await kill()).toBe('REPLICA_CRASHED')
    expect(await kill()).toBe('QUARANTINED')
    expect(await outcomeOf(scheduler, deployment, {}, { principal: 'bad' })).toBe('QUARANTINED')
    expect(await outcomeOf(scheduler, deployment, {}, { principal: 'good' })).toHaveProperty('pid')
    expect(await outcomeOf(scheduler, other, {}, { principal: 'bad' })).toHaveProperty('pid')
  }, 30_000)
})

describe('those who send no token', () => {
  it('are not kept out for what one of them does', async () => {
    const { scheduler, deployment } = await openSingle()
    const ask = (input: unknown): Promise<unknown> =>
      outcomeOf(scheduler, deployment, input, { principal: 'anonymous' })
    for (let count = 0; count < 4; count += 1) expect(await ask({ act: 'kill' })).toBe('REPLICA_CRASHED')
    expect(await ask({})).toHaveProperty('pid')
  }, 30_000)
})
