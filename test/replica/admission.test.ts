import { describe, expect, it } from 'vitest'
import { Admission, type AdmissionOptions } from '../../runtime/replica/admission.ts'
import type { RequestQueue } from '../../runtime/replica/queue.ts'
import { Tallies } from '../../runtime/replica/tallies.ts'
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
