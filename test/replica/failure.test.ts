import { expect, it } from 'vitest'
import { toWire } from '../../runtime/error/wire.ts'
import * as failure from '../../runtime/replica/failure.ts'
import type { RequestQueue } from '../../runtime/replica/queue.ts'
import { modelOf } from './replica-workshop.ts'
import { deploymentOf, makeQueue, ticketAt } from './work.ts'

const queueOf = (model: ReturnType<typeof modelOf> | null): RequestQueue => makeQueue(deploymentOf(), model)

it.each([
  [failure.queueFull(queueOf(null)), 'QUEUE_FULL', '0 requests wait for "digits" already; try again soon.'],
  [failure.draining(), 'DRAINING', 'This server is stopping; send the request to another, or again soon.'],
  [
    failure.deadlineExceeded(ticketAt(1).ticket),
    'DEADLINE_EXCEEDED',
    '"digits" gave no answer within 1000 ms.',
  ],
  [failure.callerGone(), 'CANCELLED', 'The caller went away before the answer.'],
  [
    failure.loadBroken(queueOf(null), 'ended its thread'),
    'FUNCTION_BROKEN',
    'Function "digits" ended its thread while it was set up.',
  ],
  [
    failure.loadBroken(queueOf(modelOf('iris')), 'ended its process'),
    'MODEL_BROKEN',
    'Model "iris" ended its process while function "digits" loaded it.',
  ],
])('says what happened and to whom: %s', (error, code, message) => {
  expect(error).toMatchObject({ code, message })
})

it('tells how often a request was tried', () => {
  const { ticket } = ticketAt(1)
  ticket.deaths = 2
  expect(failure.replicaCrashed(ticket).message).toBe(
    'The replica died while "digits" worked on this request. It was tried 2 times.',
  )
  const once = {
    ...ticket,
    deaths: 1,
    work: { ...ticket.work, deployment: deploymentOf({ idempotent: false }) },
  }
  expect(failure.replicaCrashed(once as typeof ticket).message).toMatch(/It is not to be run twice\.$/)
})

it('carries what clients may act on', () => {
  expect(toWire(failure.queueFull(queueOf(null))).details).toEqual({ retryAfterMs: 1_000 })
  expect(toWire(failure.draining()).details).toEqual({ retryAfterMs: 1_000 })
  expect(toWire(failure.loadBroken(queueOf(modelOf('iris')), '')).details).toEqual({ model: 'iris' })
})
