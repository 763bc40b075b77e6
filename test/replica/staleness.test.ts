import { expect, it } from 'vitest'
import type { Deployment } from '../../runtime/replica/deployment.ts'
import { ReplicaProcess } from '../../runtime/replica/replica-process.ts'
import { RunnerLink } from '../../runtime/replica/runner-link.ts'
import { isKeptForCallers, isStale } from '../../runtime/replica/staleness.ts'
import { deploymentOf, makeQueue, ticketAt } from './work.ts'

const events = {
  ready: () => undefined,
  reported: () => undefined,
  runnerEnded: () => undefined,
  died: () => undefined,
}

function linkOf(replica: ReplicaProcess, facts: Partial<Deployment>): RunnerLink {
  return new RunnerLink(1, makeQueue(deploymentOf(facts)), replica)
}

it('keeps old code for old requests that may call it, and for no others', async () => {
  const replica = new ReplicaProcess(0, { environment: {} }, events)
  const leaf = linkOf(replica, { id: 'leaf@old', functionName: 'leaf' })
  const caller = linkOf(replica, { id: 'caller@old', calls: ['leaf'] })
  const fresh = linkOf(replica, { id: 'caller@new', calls: ['leaf'] })
  const other = linkOf(replica, { id: 'other@old', calls: ['else'] })
  const current = new Set(['caller@new'])
  const kept = (...links: readonly RunnerLink[]): boolean => isKeptForCallers(leaf, links, current)
  expect([leaf, fresh].map((link) => [isStale(link, current), isStale(link, null)])).toEqual([
    [true, false],
    [false, false],
  ])
  expect(kept(leaf, caller, fresh, other)).toBe(false)
  for (const link of [caller, fresh, other]) link.send([ticketAt(link === caller ? 1 : 2).ticket], 0)
  expect([kept(caller), kept(fresh, other)]).toEqual([true, false])
  caller.abandon()
  expect(kept(caller)).toBe(false)
  replica.kill()
  await replica.ended
})
