import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AutoscaleConfig } from '../../runtime/config/deployment-config.ts'
import type { Deployment } from '../../runtime/replica/deployment.ts'
import { SchedulerGroups } from '../../runtime/replica/scheduler-groups.ts'
import type { Work } from '../../runtime/replica/ticket.ts'
import { until } from '../support/server.ts'
import { targetsOf } from './calling-replica.ts'
import { makeReplicaWorkshop, type ReplicaWorkshop } from './replica-workshop.ts'
import { workOf } from './work.ts'

let workshop: ReplicaWorkshop
let groups: SchedulerGroups
beforeEach(async () => {
  workshop = await makeReplicaWorkshop()
})
afterEach(async () => {
  await groups.close(0)
  await workshop[Symbol.asyncDispose]()
})

const source = `export default defineFunction({
  method: 'POST',
  input: Type.Object({ waitMs: Type.Number() }),
  setup: ({ deployment, options }) => ({ deployment, options }),
  handler: async ({ input, state }) => {
    await Bun.sleep(input.waitMs)
    return { ...state, pid: process.pid, cuda: process.env.CUDA_VISIBLE_DEVICES ?? null }
  },
})`

interface Answered {
  readonly deployment: string
  readonly options: unknown
  readonly pid: number
  readonly cuda: string | null
}

function open(): SchedulerGroups {
  groups = new SchedulerGroups({ ...workshop.options, threadsOf: () => 1 })
  return groups
}

const grouped = (
  id: string,
  replicas: number | AutoscaleConfig = 1,
  resources: { cudaDevices?: string } = {},
): Pick<Deployment, 'group'> => ({ group: { id, replicas, resources } })

function request(deployment: Deployment, waitMs = 0, facts: Partial<Work> = {}): Work {
  const body = new TextEncoder().encode(JSON.stringify({ waitMs }))
  const work = workOf({ deployment, body, ...facts })
  return { ...work, head: { ...work.head, method: 'POST', contentType: 'application/json' } }
}

async function ask(deployment: Deployment, waitMs = 0): Promise<Answered> {
  const { body } = await groups.submit(request(deployment, waitMs))
  return (await new Response(body).json()) as Answered
}

describe('groups of replicas', () => {
  it('answer in processes of their own, with their options and devices', async () => {
    open()
    const shared = await workshop.deploy('shared', source, { options: { a: 1 } })
    const own = await workshop.deploy('own', source, {
      ...grouped('own', 1, { cudaDevices: '3' }),
      options: 2,
    })
    groups.follow([shared, own])
    const answers = await Promise.all([ask(shared), ask(own)])
    expect(answers).toMatchObject([
      { deployment: 'shared', options: { a: 1 }, cuda: null },
      { deployment: 'own', options: 2, cuda: '3' },
    ])
    expect(answers[0]?.pid).not.toBe(answers[1]?.pid)
    const { replicas } = groups.report()
    expect(new Set(replicas.map(({ group }) => group))).toEqual(new Set([null, 'own']))
    expect(groups.pool.links.length).toBe(2)
    expect(groups.activities().get('own')).toEqual({
      ongoing: 0,
      queued: 0,
      replicas: { target: 1, running: 1 },
    })
  })

  it('count the requests of a principal together', async () => {
    groups = new SchedulerGroups({ ...workshop.options, maxRequestsPerPrincipal: 1, threadsOf: () => 1 })
    const shared = await workshop.deploy('shared', source)
    const own = await workshop.deploy('own', source, grouped('own'))
    groups.follow([shared, own])
    const first = ask(shared, 300)
    await expect(ask(own)).rejects.toMatchObject({ code: 'SHARE_EXCEEDED' })
    expect(await first).toMatchObject({ deployment: 'shared' })
    expect(await ask(own)).toMatchObject({ deployment: 'own' })
  })

  it('finish what they have when their deployment has gone, and hand late requests on', async () => {
    open()
    const before = await workshop.deploy('own', source, { ...grouped('own'), options: 'before' })
    const after = await workshop.deploy('own', source, { options: 'after' })
    groups.follow([before])
    const slow = ask(before, 500)
    await until(() => groups.activities().get('own')?.ongoing === 1)
    groups.follow([after])
    expect((await slow).options).toBe('before')
    await until(() => groups.report().replicas.every(({ group }) => group === null))
    // It was read off the route before the change, and its body has come only now.
    expect((await ask(before)).options).toBe('after')
  })

  it('come up ahead for a deployment that is not current yet, and go where it never is', async () => {
    open()
    const shared = await workshop.deploy('shared', source)
    const next = await workshop.deploy('own', source, grouped('own'))
    groups.follow([shared])
    groups.prepare(next)
    await groups.load(next, null, { pin: false, principal: 'operator' })
    expect(groups.report().replicas.some(({ group }) => group === 'own')).toBe(true)
    groups.follow([shared])
    await until(() => groups.report().replicas.every(({ group }) => group === null))
    expect(await readdir(workshop.directory)).toContain('g1')
  })

  it('refuse what comes after the end, and finish what was at hand', async () => {
    open()
    const own = await workshop.deploy('own', source, grouped('own'))
    groups.follow([own])
    const slow = ask(own, 300)
    await until(() => groups.activities().get('own')?.ongoing === 1)
    const closed = groups.close(10_000)
    await expect(ask(own)).rejects.toMatchObject({ code: 'DRAINING' })
    expect(await slow).toMatchObject({ deployment: 'own' })
    await closed
    expect(groups.pool.links).toEqual([])
  })
})

describe('a group that scales', () => {
  const bounds = {
    min: 0,
    max: 2,
    targetOngoing: 1,
    lookBackMs: 300,
    upscaleDelayMs: 250,
    downscaleDelayMs: 500,
  }

  it('has no process before the first request, more by the load, and none in the end', async () => {
    open()
    const own = await workshop.deploy('own', source, grouped('own', bounds))
    groups.follow([own])
    const target = (): number | undefined => groups.activities().get('own')?.replicas.target
    expect(target()).toBe(0)
    expect(groups.report().replicas.every(({ group }) => group === null)).toBe(true)
    expect(await ask(own)).toMatchObject({ deployment: 'own' })
    let busy = true
    const clients = Array.from({ length: 4 }, async () => {
      const pids = new Set<number>()
      while (busy) pids.add((await ask(own, 20)).pid)
      return pids
    })
    await until(() => target() === 2)
    busy = false
    await Promise.all(clients)
    await until(() => target() === 0)
    await until(() => groups.report().replicas.every(({ group }) => group === null))
    expect(await ask(own)).toMatchObject({ deployment: 'own' })
  })

  it('takes other bounds without other processes', async () => {
    open()
    const own = await workshop.deploy('own', source, grouped('own', 1))
    groups.follow([own])
    const { pid } = await ask(own)
    groups.follow([{ ...own, ...grouped('own', 2) }])
    await until(() => groups.activities().get('own')?.replicas.running === 2)
    groups.follow([{ ...own, ...grouped('own', { min: 1, max: 3 }) }])
    expect(groups.activities().get('own')?.replicas.target).toBe(2)
    expect((await ask(own)).pid).toBe(pid)
  })
})

describe('a call into another group', () => {
  const calling = `
    const named = (name) => defineFunction({ method: 'POST', input: Type.Any(), handler: () => name })
    const back = named('back')
    export const functions = [['back', back]]
    export default defineFunction({
      method: 'POST',
      input: Type.Object({ waitMs: Type.Number() }),
      handler: async ({ input, handle }) => {
        await Bun.sleep(input.waitMs)
        return { answer: await handle(back).infer(input) }
      },
    })`

  it.each([1, { min: 0, max: 1 }])(
    'is answered while all of them stop: %j',
    async (replicas) => {
      open()
      const facts = { ...grouped('front'), calls: ['back'], apart: ['back'] }
      const front = await workshop.deploy('front', calling, facts)
      const back = await workshop.deploy('back', source, grouped('back', replicas))
      groups.answerCalls(targetsOf([front, back]))
      groups.follow([front, back])
      const running = ask(front, 500)
      // The runner takes one at a time: this one has not begun when everything stops.
      const waiting = ask(front, 100)
      await until(() => groups.activities().get('front')?.ongoing === 1)
      const closed = groups.close(30_000)
      await expect(ask(back)).rejects.toMatchObject({ code: 'DRAINING' })
      for (const asked of [running, waiting])
        expect(await asked).toMatchObject({ answer: { deployment: 'back' } })
      await closed
      expect(groups.pool.links).toEqual([])
    },
    40_000,
  )

  it('is answered for a request that is tried alone while all of them stop', async () => {
    open()
    const dying = calling.replace(
      'await Bun.sleep(input.waitMs)',
      `
      const mark = ${JSON.stringify(workshop.directory)} + '/died'
      if (!(await Bun.file(mark).exists())) {
        await Bun.write(mark, '')
        process.kill(process.pid, 'SIGKILL')
      }
      await Bun.write(mark + '-again', '')
      await Bun.sleep(input.waitMs)`,
    )
    const front = await workshop.deploy('front', dying, {
      ...grouped('front'),
      calls: ['back'],
      apart: ['back'],
    })
    const back = await workshop.deploy('back', source, grouped('back'))
    groups.answerCalls(targetsOf([front, back]))
    groups.follow([front, back])
    const asked = ask(front, 500)
    await until(() => existsSync(`${workshop.directory}/died-again`))
    const closed = groups.close(30_000)
    expect(await asked).toMatchObject({ answer: { deployment: 'back' } })
    await closed
  }, 40_000)

  it('counts to the same depth as those that run beside their callers', async () => {
    open()
    const circle = `
      const options = { method: 'POST', input: Type.Any(), output: Type.Any() }
      const one = defineFunction({ ...options, handler: ({ handle }) => handle(two).infer({}) })
      const two = defineFunction({ ...options, handler: ({ handle }) => handle(three).infer({}) })
      const three = defineFunction({ ...options, handler: ({ handle }) => handle(one).infer({}) })
      export const functions = [['one', one], ['two', two], ['three', three]]
      export default one`
    const one = await workshop.deploy('one', circle, { ...grouped('one'), calls: ['one'], apart: ['one'] })
    groups.answerCalls(targetsOf([one]))
    groups.follow([one])
    const chain = Array.from({ length: 17 }, (_, index) => ['one', 'two', 'three'][index % 3])
    await expect(ask(one)).rejects.toMatchObject({ code: 'CALL_TOO_DEEP', details: { chain } })
  })
})
