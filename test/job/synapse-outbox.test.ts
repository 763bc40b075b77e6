import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SynapseOutbox } from '../../runtime/job/synapse-outbox.ts'
import { synapseLog } from '../../runtime/job/synapse-shape.ts'

const entry = (text: string) => synapseLog('7', 0, text, {})
const limits = { maxLogs: 5, maxLogBytes: 10_000, maxParcelLogs: 3, maxParcelBytes: 10_000 }

function eventsIn(json: string): string[] {
  return [JSON.parse(json)].flat().map(({ event }) => event)
}

it('gives nothing where nothing came', () => {
  const outbox = new SynapseOutbox()
  expect([outbox.isEmpty, outbox.take()]).toEqual([true, null])
})

it('gives the log first, and of patches the newest of each part', () => {
  const outbox = new SynapseOutbox()
  outbox.patch({ status: 'pending', result: { a: 1 } })
  outbox.patch({ status: 'running' })
  outbox.log(entry('one'))
  expect(outbox.take()).toMatchObject({ kind: 'logs', count: 1 })
  expect(outbox.take()).toMatchObject({ kind: 'patch', patch: { status: 'running', result: { a: 1 } } })
  expect(outbox.isEmpty).toBe(true)
})

it('sends one entry as it is and several as a list', () => {
  const outbox = new SynapseOutbox()
  outbox.log(entry('one'))
  expect(JSON.parse(outbox.take()?.json ?? '')).toMatchObject({ event: 'one' })
  outbox.log(entry('two'))
  outbox.log(entry('three'))
  expect(JSON.parse(outbox.take()?.json ?? '')).toMatchObject([{ event: 'two' }, { event: 'three' }])
})

it('puts what is newest into a patch that is sent again', () => {
  const outbox = new SynapseOutbox()
  outbox.patch({ status: 'pending', result: { a: 1 } })
  const parcel = outbox.take()
  if (parcel === null) throw new Error('There is a patch.')
  outbox.patch({ status: 'running' })
  expect(JSON.parse(outbox.freshen(parcel).json)).toEqual({ status: 'running', result: { a: 1 } })
  expect(outbox.isEmpty).toBe(true)
})

it('leaves entries of the log as they are when they are sent again', () => {
  const outbox = new SynapseOutbox()
  outbox.log(entry('one'))
  const parcel = outbox.take()
  if (parcel === null) throw new Error('There is an entry.')
  outbox.patch({ status: 'running' })
  expect(outbox.freshen(parcel)).toBe(parcel)
})

it('lets the oldest entries give way, and counts them', () => {
  const outbox = new SynapseOutbox(limits)
  for (let index = 0; index < 8; index += 1) outbox.log(entry(String(index)))
  expect(outbox.lost).toBe(3)
  expect([outbox.take(), outbox.take()].flatMap((parcel) => eventsIn(parcel?.json ?? ''))).toEqual([
    ...'34567',
  ])
})

it('holds no more bytes than it may, and still takes what comes later', () => {
  const outbox = new SynapseOutbox({ ...limits, maxLogBytes: 500 })
  outbox.log(entry('a'.repeat(1_000)))
  expect([outbox.lost, outbox.take()]).toEqual([1, null])
  outbox.log(entry('b'))
  expect(eventsIn(outbox.take()?.json ?? '')).toEqual(['b'])
})

it('gives each entry that did not give way once, in its order, in parcels of bounded size', () => {
  const command = fc.oneof(
    { weight: 4, arbitrary: fc.nat(300).map((length) => ({ length })) },
    { weight: 1, arbitrary: fc.constant(null) },
  )
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const bounds = { maxLogs: 10, maxLogBytes: 3_000, maxParcelLogs: 4, maxParcelBytes: 700 }
      const outbox = new SynapseOutbox(bounds)
      const given: string[] = []
      let added = 0
      const take = (): boolean => {
        const parcel = outbox.take()
        if (parcel?.kind !== 'logs') return false
        const events = eventsIn(parcel.json)
        expect(events.length).toBe(parcel.count)
        expect(events.length).toBeLessThanOrEqual(bounds.maxParcelLogs)
        if (events.length > 1) expect(parcel.json.length).toBeLessThan(bounds.maxParcelBytes + 10)
        given.push(...events)
        return true
      }
      for (const one of commands) {
        if (one === null) take()
        else outbox.log(entry(`${added++}:${'a'.repeat(one.length)}`))
      }
      while (take());
      const numbers = given.map((event) => Number.parseInt(event, 10))
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
      expect(new Set(numbers).size).toBe(numbers.length)
      expect(numbers.length + outbox.lost).toBe(added)
    }),
  )
})
