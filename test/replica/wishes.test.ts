import { describe, expect, it } from 'vitest'
import { IsoplexError } from '../../runtime/error/error.ts'
import type { RequestQueue } from '../../runtime/replica/queue.ts'
import { Wishes } from '../../runtime/replica/wishes.ts'
import { modelOf } from './replica-workshop.ts'
import { deploymentOf, makeQueue } from './work.ts'

const queueOf = (model: string, name = 'digits', version = 1): RequestQueue => {
  const deployment = deploymentOf({ id: `${name}@${version}`, name })
  return makeQueue(deployment, modelOf(model))
}
const keyOf = (model: string): string => modelOf(model).key
const broken = new IsoplexError('FUNCTION_BROKEN', 'broken')

describe('a pin', () => {
  it('is of one model of one function, whatever its version', () => {
    const wishes = new Wishes()
    wishes.pin('digits', keyOf('a'))
    expect([queueOf('a'), queueOf('a', 'digits', 2)].map((queue) => wishes.isPinned(queue))).toEqual([
      true,
      true,
    ])
    expect([queueOf('b'), queueOf('a', 'speech')].map((queue) => wishes.isPinned(queue))).toEqual([
      false,
      false,
    ])
  })

  it('has its queue loaded from the moment that it is known', () => {
    const wishes = new Wishes()
    const queue = queueOf('a')
    wishes.identify(queue, 'acme')
    expect([wishes.queues(), wishes.keeps(queue)]).toEqual([[], false])
    wishes.pin('digits', keyOf('a'))
    expect(wishes.queues()).toEqual([])
    wishes.identify(queue, 'acme')
    expect([wishes.queues(), wishes.keeps(queue), wishes.principalOf(queue)]).toEqual([[queue], true, 'acme'])
  })

  it('is taken away by function and model, or by model alone', () => {
    const wishes = new Wishes()
    const queues = ['digits', 'speech', 'vision'].map((name) => queueOf('a', name))
    for (const queue of queues) {
      wishes.pin(queue.deployment.name, keyOf('a'))
      wishes.identify(queue, 'acme')
    }
    expect(wishes.unpin('digits', keyOf('b'))).toEqual([])
    expect(wishes.unpin('digits', keyOf('a'))).toEqual(queues.slice(0, 1))
    expect(wishes.unpin(null, keyOf('a'))).toEqual(queues.slice(1))
    expect(wishes.queues()).toEqual([])
  })

  it('stays as it is when it is set again', () => {
    const wishes = new Wishes()
    const queue = queueOf('a')
    wishes.pin('digits', keyOf('a'))
    wishes.identify(queue, 'acme')
    wishes.pin('digits', keyOf('a'))
    expect(wishes.queues()).toEqual([queue])
  })
})

describe('a load that is waited for', () => {
  it('is one wish however many wait, and ends for all of them', async () => {
    const wishes = new Wishes()
    const queue = queueOf('a')
    const waiting = [wishes.wait(queue, 'acme'), wishes.wait(queue, 'other')]
    expect([wishes.queues(), wishes.isAwaited(queue), wishes.keeps(queue)]).toEqual([[queue], true, true])
    expect(wishes.principalOf(queue)).toBe('acme')
    wishes.fulfil(queue)
    await Promise.all(waiting)
    expect([wishes.queues(), wishes.isAwaited(queue)]).toEqual([[], false])
  })

  it('fails with the reason', async () => {
    const wishes = new Wishes()
    const queue = queueOf('a')
    const waiting = wishes.wait(queue, 'acme')
    wishes.refuse(queue, broken)
    await expect(waiting).rejects.toBe(broken)
  })

  it('fails for all, and nothing is pinned any more, once everything is cleared', async () => {
    const wishes = new Wishes()
    const queues = ['a', 'b'].map((model) => queueOf(model))
    wishes.pin('digits', keyOf('a'))
    const waiting = queues.map((queue) => wishes.wait(queue, 'acme'))
    wishes.clear(broken)
    expect(await Promise.allSettled(waiting)).toEqual(Array(2).fill({ status: 'rejected', reason: broken }))
    expect([wishes.queues(), queues.map((queue) => wishes.isPinned(queue))]).toEqual([[], [false, false]])
  })
})
