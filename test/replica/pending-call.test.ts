import { expect, it } from 'vitest'
import { PendingCall } from '../../runtime/replica/pending-call.ts'
import { Workload } from '../../runtime/replica/workload.ts'
import { ticketAt } from './work.ts'

function callOf(): PendingCall {
  const batch = new Workload({ concurrency: 1, ahead: 0 }, 0).add(1, 0)
  const parent = { ticket: ticketAt(1).ticket, batch, stream: null, overdue: undefined, calls: null }
  const head = {
    parent: 1,
    through: [],
    function: 'leaf',
    model: null,
    deployment: null,
    timeoutMs: null,
    params: {},
    query: '',
    contentType: null,
  }
  return new PendingCall(7, parent, { head, body: new Uint8Array() })
}

it('tells who listens already, and who asks later, that nobody waits any more', async () => {
  const [early, late] = [callOf(), callOf()]
  const { signal, credit } = early
  expect([signal.aborted, early.cancelled]).toEqual([false, false])
  for (const call of [early, late]) call.cancel()
  expect([signal.aborted, late.signal.aborted, late.cancelled]).toEqual([true, true, true])
  // Nothing more is sent of a stream.
  expect([await credit.take(1), await late.credit.take(1)]).toEqual([0, 0])
})

it('has one signal and one credit', () => {
  const call = callOf()
  expect(call.signal).toBe(call.signal)
  expect(call.credit).toBe(call.credit)
})
