import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { IsoplexError } from '../../runtime/error/error.ts'
import type { Deployment } from '../../runtime/replica/deployment.ts'
import type { Scheduler, SchedulerOptions } from '../../runtime/replica/scheduler.ts'
import { single } from './acting-functions.ts'
import { ask, makeReplicaWorkshop, outcomeOf, type ReplicaWorkshop } from './replica-workshop.ts'

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
