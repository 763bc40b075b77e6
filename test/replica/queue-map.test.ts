import { expect, it } from 'vitest'
import { QueueMap } from '../../runtime/replica/queue-map.ts'
import { modelOf } from './replica-workshop.ts'
import { deploymentOf, makeQueue } from './work.ts'

const open = (): QueueMap => new QueueMap(({ deployment, model }) => makeQueue(deployment, model))

it('has one queue for each deployment and model', () => {
  const queues = open()
  const [one, two] = [deploymentOf({ id: 'one' }), deploymentOf({ id: 'two' })]
  const subjects = [
    { deployment: one, model: null },
    { deployment: one, model: modelOf('a') },
    { deployment: one, model: modelOf('b') },
    { deployment: two, model: modelOf('a') },
  ]
  const made = subjects.map((subject) => queues.of(subject))
  expect(new Set(made).size).toBe(4)
  expect(subjects.map((subject) => queues.of(subject))).toEqual(made)
  expect(queues.of({ deployment: deploymentOf({ id: 'one' }), model: modelOf('a') })).toBe(made[1])
  expect(new Set(queues)).toEqual(new Set(made))
})

it('forgets a queue, and not the one that has come in its place', () => {
  const queues = open()
  const subject = { deployment: deploymentOf(), model: null }
  const old = queues.of(subject)
  queues.delete(old)
  expect([...queues]).toEqual([])
  const fresh = queues.of(subject)
  expect(fresh).not.toBe(old)
  queues.delete(old)
  expect(queues.of(subject)).toBe(fresh)
})
