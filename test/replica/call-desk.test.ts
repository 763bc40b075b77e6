import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Deployment } from '../../runtime/replica/deployment.ts'
import type { Scheduler, SchedulerOptions } from '../../runtime/replica/scheduler.ts'
import { until } from '../support/server.ts'
import {
  type Script,
  type ScriptedAnswer,
  type ScriptedCall,
  targetsOf,
  writeCallingReplica,
} from './calling-replica.ts'
import { type AskOptions, makeReplicaWorkshop, outcomeOf, type ReplicaWorkshop } from './replica-workshop.ts'

let workshop: ReplicaWorkshop
let replicaEntryPath: string

beforeEach(async () => {
  workshop = await makeReplicaWorkshop()
  replicaEntryPath = await writeCallingReplica(workshop.directory)
})
afterEach(() => workshop[Symbol.asyncDispose]())

interface Scene {
  readonly scheduler: Scheduler
  readonly deployments: Readonly<Record<string, Deployment>>
  run(to: string, script: Script, options?: AskOptions): Promise<unknown>
}

/** Functions of these names, with what all of them are alike in. */
async function open(
  names: readonly string[],
  facts: Partial<Deployment> = {},
  options: Partial<SchedulerOptions> = {},
): Promise<Scene> {
  const scheduler = workshop.open({ replicaEntryPath, ...options })
  const deployments = await Promise.all(names.map((name) => workshop.deploy(name, '', facts)))
  scheduler.answerCalls(targetsOf(deployments))
  const byName = Object.fromEntries(deployments.map((deployment) => [deployment.name, deployment]))
  return {
    scheduler,
    deployments: byName,
    run: (to, script, asked) => outcomeOf(scheduler, must(byName[to]), script, asked),
  }
}

function must<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('It is there.')
  return value
}

const call = (to: string, script: Omit<ScriptedCall, 'to'> = {}): Script => ({ calls: [[{ to, ...script }]] })
const answeredBy = (outcome: unknown): unknown => (outcome as ScriptedAnswer).answers

describe('a call', () => {
  it('is answered by the function that it names', async () => {
    const { run } = await open(['a', 'b'])
    expect(await run('a', call('b', { model: 'm' }))).toMatchObject({
      name: 'a',
      answers: [{ name: 'b', model: 'm' }],
    })
  })

  it('takes up no place of its caller, which calls itself, itself and itself', async () => {
    const { run } = await open(['a'], { concurrency: 1 })
    expect(await run('a', call('a', call('a', call('a'))))).toMatchObject({
      answers: [{ answers: [{ answers: [{ name: 'a' }] }] }],
    })
  })

  it('fails where there is no such function', async () => {
    const { run } = await open(['a'])
    expect(answeredBy(await run('a', call('nobody')))).toEqual(['FUNCTION_NOT_FOUND'])
  })

  it('fails where more than 16 functions would depend on one another', async () => {
    const { run } = await open(['a'])
    let script: Script = {}
    for (let depth = 0; depth < 16; depth += 1) script = call('a', script)
    let outcome: unknown = await run('a', script)
    for (let depth = 0; depth < 15; depth += 1) [outcome] = (outcome as ScriptedAnswer).answers
    expect(answeredBy(outcome)).toEqual(['CALL_TOO_DEEP'])
  })

  it('fails in the name of a request that its runner has not in hand', async () => {
    const { run } = await open(['a', 'b'])
    expect(answeredBy(await run('a', call('b', { parent: 99 })))).toEqual(['CANCELLED'])
    expect(answeredBy(await run('a', call('b', { parent: 0 })))).toEqual(['CANCELLED'])
  })

  it.each([{ function: 7 }, { params: null }, { parent: '1' }])(
    'is refused where a runner says %j of it, and the runner goes on',
    async (lies) => {
      const { run } = await open(['a', 'b'])
      expect(answeredBy(await run('a', call('b', { lies })))).toEqual(['INTERNAL'])
      expect(answeredBy(await run('a', call('b')))).toMatchObject([{ name: 'b' }])
    },
  )

  it('is refused without an id', async () => {
    const { run } = await open(['a', 'b'])
    expect(answeredBy(await run('a', call('b', { id: 0 })))).toEqual(['INTERNAL'])
  })

  it('is refused where its request has 64 under way', async () => {
    const { run } = await open(['a', 'b'], { concurrency: 99 })
    const calls = Array.from({ length: 65 }, () => ({ to: 'b', ms: 200 }))
    const answers = answeredBy(await run('a', { calls: [calls] })) as unknown[]
    expect(answers.filter((answer) => answer === 'INTERNAL')).toHaveLength(1)
    expect(answers.filter((answer) => typeof answer === 'object')).toHaveLength(64)
  })

  it('ends when its own time is over, and the caller goes on', async () => {
    const { run } = await open(['a', 'b'])
    expect(await run('a', call('b', { timeoutMs: 50, end: 'hang' }))).toMatchObject({
      answers: ['DEADLINE_EXCEEDED'],
    })
  })

  it('ends with its caller: by the deadline, when nobody waits, and when it is let go', async () => {
    const { run, scheduler } = await open(['a', 'b'], { timeoutMs: 400, concurrency: 9 })
    expect(await run('a', call('b', { end: 'hang' }))).toBe('DEADLINE_EXCEEDED')
    const caller = new AbortController()
    const asked = run('a', call('b', { end: 'hang' }), { signal: caller.signal })
    await until(() => inHand(scheduler, 'b') > 0)
    caller.abort()
    expect(await asked).toBe('CANCELLED')
    expect(answeredBy(await run('a', call('b', { end: 'hang', leaveMs: 50 })))).toEqual(['LEFT'])
    expect(await run('a', { ...call('b', { end: 'hang' }), hasty: true })).toMatchObject({ answers: [] })
    await until(() => inHand(scheduler, 'b') === 0)
  })

  it('brings a stream to its end, no faster than it is read', async () => {
    const { run } = await open(['a', 'b'])
    expect(answeredBy(await run('a', call('b', { pieces: 40 })))).toEqual([40 * 64 * 1024])
  })

  it('runs again where its replica dies, and fails the call alone where it is the reason', async () => {
    const { run } = await open(['a', 'b'], { timeoutMs: 20_000 }, { replicas: 2 })
    expect(answeredBy(await run('a', call('b', { end: 'kill' })))).toEqual(['REPLICA_CRASHED'])
  })
})

function inHand({ pool }: Scheduler, name: string): number {
  let count = 0
  for (const { deployment, sent } of pool.links) if (deployment.name === name) count += sent.size
  return count
}
