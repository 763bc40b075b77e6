import { describe, expect, it } from 'vitest'
import { Tallies } from '../../runtime/replica/tallies.ts'

const digits = { id: 'digits', version: '1' }

describe('the tally of a model', () => {
  it('is one for each function, model and version', () => {
    const tallies = new Tallies()
    const tally = tallies.model('read', digits)
    expect(tallies.model('read', { ...digits })).toBe(tally)
    const others = [
      tallies.model('read', { id: 'digits', version: '2' }),
      tallies.model('write', digits),
      tallies.model('read', null),
    ]
    expect(new Set([tally, ...others]).size).toBe(4)
    expect(new Set(tallies.models)).toEqual(new Set([tally, ...others]))
  })

  it('keeps no more of a model than its name', () => {
    const info = { ...digits, path: '/models/digits', token: 'secret' }
    expect(new Tallies().model('read', info).model).toEqual(digits)
  })

  it('counts in seconds what it is told in milliseconds', () => {
    const tally = new Tallies().model('read', digits)
    tally.succeeded(250)
    tally.waited(5)
    tally.sent(32)
    tally.computed(10)
    tally.loaded(1_500)
    const { requestSeconds, queueSeconds, computeSeconds, batchSizes, loadSeconds } = tally.function
    expect([tally.successes, requestSeconds.sum]).toEqual([1, 0.25])
    expect([tally.queueSeconds, queueSeconds.sum]).toEqual([0.005, 0.005])
    expect([tally.inferences, tally.executions, batchSizes.sum]).toEqual([32, 1, 32])
    expect([tally.computeSeconds, computeSeconds.sum]).toEqual([0.01, 0.01])
    expect([tally.loads, loadSeconds.sum]).toEqual([1, 1.5])
  })

  it('adds to the distributions of its function, which all its models share', () => {
    const tallies = new Tallies()
    for (const version of ['1', '2', '3']) tallies.model('read', { id: 'digits', version }).succeeded(1_000)
    tallies.model('write', digits).succeeded(1_000)
    const counts = tallies.functions.map(({ name, requestSeconds }) => [name, requestSeconds.count])
    expect(counts).toEqual([
      ['read', 3],
      ['write', 1],
    ])
  })

  it('tells failures apart', () => {
    const tally = new Tallies().model('read', digits)
    tally.failed('DEADLINE_EXCEEDED')
    tally.loadFailed('MODEL_BROKEN')
    tally.left('idle')
    tally.ranAgain('crashed')
    expect(tally.failures.get('DEADLINE_EXCEEDED')).toBe(1)
    expect(tally.loadFailures.get('MODEL_BROKEN')).toBe(1)
    expect(tally.departures.get('idle')).toBe(1)
    expect(tally.reruns.get('crashed')).toBe(1)
  })

  it('is shared by the models of a function beyond the first 100', () => {
    const tallies = new Tallies()
    for (let version = 1; version <= 500; version += 1) {
      tallies.model('read', { id: 'digits', version: String(version) }).successes += 1
    }
    tallies.model('write', digits).successes += 1
    const { models } = tallies
    expect(models).toHaveLength(102)
    const shared = models.filter(({ model }) => model === 'other')
    expect(shared).toMatchObject([{ function: { name: 'read' }, successes: 400 }])
  })
})

describe('the tally of a principal', () => {
  it('is shared by those beyond the first 100', () => {
    const tallies = new Tallies()
    for (let number = 0; number < 1_000; number += 1) tallies.principal(`tenant:${number}`).requests += 1
    const { principals } = tallies
    expect(principals).toHaveLength(101)
    expect(principals.at(-1)).toMatchObject({ principal: null, requests: 900 })
    expect(tallies.principal('tenant:0').requests).toBe(1)
  })
})

it('the calls of one function by another are counted by pair, and those of more than 100 pairs together', () => {
  const tallies = new Tallies()
  const tally = tallies.call('read', 'write')
  expect(tallies.call('read', 'write')).toBe(tally)
  expect(tally.pair).toEqual({ caller: 'read', callee: 'write' })
  for (let count = 0; count < 200; count += 1) tallies.call('read', `other-${count}`)
  expect(tallies.calls.length).toBe(101)
  expect(tallies.calls.at(-1)?.pair).toBeNull()
})
