import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeJson, frameKinds } from '../../runtime/replica/frame.ts'
import { type PoolOptions, ReplicaPool } from '../../runtime/replica/pool.ts'
import type { ReplicaProcess } from '../../runtime/replica/replica-process.ts'
import type { RunnerLink } from '../../runtime/replica/runner-link.ts'
import { until } from '../support/server.ts'
import { connectRunner, type RunnerEnd } from './connected-runner.ts'
import { type PassiveReplica, writePassiveReplica } from './passive-replica.ts'
import { makeReplicaWorkshop, type ReplicaWorkshop } from './replica-workshop.ts'
import { makeQueue } from './work.ts'

let workshop: ReplicaWorkshop
let passive: PassiveReplica
let pool: ReplicaPool
let told: string[]

beforeEach(async () => {
  workshop = await makeReplicaWorkshop()
  passive = await writePassiveReplica(workshop.directory)
  told = []
})
afterEach(async () => {
  await pool.close(0)
  await workshop[Symbol.asyncDispose]()
})

function open(options: Partial<PoolOptions> = {}): ReplicaPool {
  pool = new ReplicaPool(
    { ...workshop.options, replicaEntryPath: passive.entryPath, ...options },
    {
      replicaReady: () => told.push('ready'),
      spareReady: () => undefined,
      leaving: ({ pid }) => told.push(`leaving ${pid}`),
      frame: (link, { kind }) => {
        if (kind === frameKinds.failed) throw new Error('a handler throws')
        told.push(`frame ${link.id}`)
      },
      ended: (link, { during, crashed, blame, refusal }) =>
        told.push(
          ['ended', link.id, during, ...(crashed ? ['crashed'] : []), blame, refusal?.why ?? []]
            .flat()
            .join(' '),
        ),
    },
  )
  return pool
}

async function startRunner(): Promise<RunnerLink> {
  await until(() => pool.replicas.length > 0)
  const [replica] = pool.replicas
  if (!replica) throw new Error('no replica')
  return startRunnerIn(replica)
}

async function startRunnerIn(replica: ReplicaProcess): Promise<RunnerLink> {
  return pool.start(replica, makeQueue(await workshop.deploy('none', '')))
}

async function takeSpare(): Promise<ReplicaProcess> {
  await untilSpare()
  const replica = pool.takeSpare()
  if (!replica) throw new Error('no spare')
  return replica
}

async function untilSpare(): Promise<void> {
  await until(() => [...pool.processes].some(({ state, ready }) => state === 'spare' && ready))
}

const connect = (): Promise<RunnerEnd> => connectRunner(workshop.directory)
const connectAs = (link: RunnerLink): Promise<RunnerEnd> => connectRunner(workshop.directory, link)

describe('replicas', () => {
  it('are replaced when they die, whatever they were doing', async () => {
    open({ replicas: 3 })
    await until(() => pool.replicas.length === 3)
    const before = pool.replicas.map(({ pid }) => pid)
    for (const pid of before) process.kill(pid, 'SIGKILL')
    await until(() => told.length === 6)
    expect(pool.replicas.map(({ number }) => number).toSorted()).toEqual([0, 1, 2])
    expect(pool.replicas.filter(({ pid }) => before.includes(pid))).toEqual([])
    expect(pool.size).toBe(3)
  })

  it('that die of their start are tried again, more and more seldom', async () => {
    await writeFile(join(workshop.directory, 'broken.ts'), 'process.exit(3)')
    open({ replicaEntryPath: join(workshop.directory, 'broken.ts') })
    const deaths = (): number => workshop.log.filter(({ how }) => how === 'exit code 3').length
    await until(() => deaths() >= 4)
    const startedMs = performance.now()
    await until(() => deaths() >= 5)
    expect(performance.now() - startedMs).toBeGreaterThan(390)
    expect(pool.replicas).toEqual([])
  })

  it('that the system refuses to start are tried again', async () => {
    open({ environment: { HUGE: 'x'.repeat(4_000_000) } })
    await until(
      () => workshop.log.filter(({ message }) => message.startsWith('A replica cannot be')).length >= 3,
    )
  })
})

describe('a runner', () => {
  it('is known by its word, and by nothing else', async () => {
    open()
    const link = await startRunner()
    await (await connectRunner(workshop.directory, { id: link.id, nonce: 'guessed' })).closed
    await (await connectRunner(workshop.directory, { id: link.id + 1, nonce: link.nonce })).closed
    const impatient = await connect()
    impatient.connection.send(frameKinds.ready, 0, 0, [encodeJson({ runner: link.id, nonce: link.nonce })])
    await impatient.closed
    expect([link.connected, told]).toEqual([false, ['ready']])

    const { connection } = await connectAs(link)
    connection.send(frameKinds.ready, 0, 0, [])
    await until(() => told.length === 2)
    expect([link.connected, told]).toEqual([true, ['ready', `frame ${link.id}`]])
    await (await connectAs(link)).closed
    expect(link.connected).toBe(true)
  })

  it.each([
    ['is longer than any frame', '\xff'.repeat(40)],
    ['is no JSON', `\x03${'\x00'.repeat(7)}\x10${'\x00'.repeat(7)}{]}`],
  ])('whose first word %s is shut out', async (_, bytes) => {
    open()
    await startRunner()
    const end = await connect()
    end.raw(bytes)
    await end.closed
    expect(told).toEqual(['ready'])
  })

  it.each([
    ['sends what is no frame', (end: RunnerEnd) => end.raw('\xff'.repeat(40))],
    ['sends what nobody can handle', (end: RunnerEnd) => end.connection.send(frameKinds.failed, 0, 0, [])],
  ])('that %s is ended, and blames no request', async (_, send) => {
    open()
    const link = await startRunner()
    const end = await connectAs(link)
    await until(() => link.connected)
    send(end)
    const startedMs = performance.now()
    await end.closed
    await until(() => told.length === 2)
    expect(performance.now() - startedMs).toBeLessThan(1_000)
    expect(told).toEqual(['ready', `ended ${link.id} retiring none`])
    expect([link.state, [...pool.links]]).toEqual(['gone', []])
  })

  it('has ended only when all that it sent has been read', async () => {
    open()
    const link = await startRunner()
    const { connection } = await connectAs(link)
    await until(() => link.connected)
    process.kill(link.replica.pid, 'SIGKILL')
    await link.replica.ended
    connection.send(frameKinds.reply, 1, 0, [new Uint8Array(300_000)])
    await until(() => told.includes(`frame ${link.id}`))
    expect(told.some((text) => text.startsWith('ended'))).toBe(false)
    connection.end()
    await until(() => told.includes(`ended ${link.id} starting crashed sole`))
  })

  it('has ended all the same where somebody else keeps its connection', async () => {
    open()
    const link = await startRunner()
    await connectAs(link)
    await until(() => link.connected)
    process.kill(link.replica.pid, 'SIGKILL')
    await until(() => told.includes(`ended ${link.id} starting crashed sole`))
  })

  it('that lost its connection is ended after a while', async () => {
    open()
    const link = await startRunner()
    const { connection } = await connectAs(link)
    await until(() => link.connected)
    link.state = 'active'
    connection.end()
    await until(() => told.length === 2)
    expect(told[1]).toBe(`ended ${link.id} retiring none`)
  })

  it('that does not end takes its replica along', async () => {
    open({ environment: { ...workshop.options.environment, DEAF: 'yes' } })
    const [first, second] = [await startRunner(), await startRunner()]
    pool.terminate(first, 'a test')
    pool.terminate(first, 'a test')
    await until(() => told.filter((text) => text.startsWith('ended')).length === 2)
    expect(told.slice(1, 3)).toEqual([
      `ended ${first.id} retiring crashed none`,
      `ended ${second.id} starting crashed none`,
    ])
    expect(workshop.log.filter(({ message }) => message === 'A runner is ended')).toHaveLength(1)
  })
})

describe('a replica beyond its limits', () => {
  it('ends with the last of its runners, and before it no other is replaced', async () => {
    open({ replicas: 2, maxReplicaLoads: 1 })
    await until(() => pool.replicas.length === 2)
    const links = await Promise.all(pool.replicas.map((replica) => startRunnerIn(replica)))
    await until(() => told.some((text) => text.startsWith('leaving')))
    const [leaving, other] = links.toSorted((a) => (a.replica.state === 'leaving' ? -1 : 1))
    await untilSpare()
    const before = other?.replica.health
    await until(() => other?.replica.health !== before)
    expect([leaving, other].map((link) => link?.replica.state)).toEqual(['leaving', 'serving'])
    expect(pool.replicas).toHaveLength(2)
    expect(pool.replicas).not.toContain(leaving?.replica)

    if (leaving) pool.terminate(leaving, 'a test')
    await leaving?.replica.ended
    await until(() => other?.replica.state === 'leaving')
    expect(Object.fromEntries(workshop.options.tallies.restarts.entries)).toEqual({ loads: 2 })
    expect(pool.replicas).toHaveLength(2)
  })
})

describe('a replica that was given away', () => {
  it('takes its runners along when it is dismissed, by force where they do not go', async () => {
    open()
    const replica = await takeSpare()
    const link = await startRunnerIn(replica)
    expect(pool.replicas).not.toContain(replica)
    pool.dismiss(replica)
    expect(link.state).toBe('retiring')
    await replica.ended
    expect(told).toContain(`ended ${link.id} retiring none`)
    expect(workshop.options.tallies.restarts.get('crashed')).toBe(0)
  })

  it('dies with its runners like any other', async () => {
    open()
    const replica = await takeSpare()
    const link = await startRunnerIn(replica)
    process.kill(replica.pid, 'SIGKILL')
    await until(() => told.includes(`ended ${link.id} starting crashed sole`))
    expect([...pool.processes]).not.toContain(replica)
  })

  it('is ended with the pool', async () => {
    open()
    const replica = await takeSpare()
    await pool.close(100)
    expect([replica.dead, [...pool.processes]]).toEqual([true, []])
  })
})

describe('a runner for which the system has no thread', () => {
  it('has ended, for that reason, and blames nobody', async () => {
    const entryPath = join(workshop.directory, 'refusing.ts')
    const refuse =
      "process.send({ kind: 'ended', runner: order.runner, refusal: { lack: 'thread', why: 'no room' } })"
    await writeFile(
      entryPath,
      `process.on('message', ({ order }) => ${refuse})\nprocess.send({ kind: 'ready' })`,
    )
    open({ replicaEntryPath: entryPath })
    const link = await startRunner()
    await until(() => told.includes(`ended ${link.id} starting none no room`))
  })
})

describe('closing', () => {
  it('waits for no connection that outlives its replica', async () => {
    open()
    const link = await startRunner()
    await connectAs(link)
    await until(() => link.connected)
    const startedMs = performance.now()
    await pool.close(100)
    expect(performance.now() - startedMs).toBeLessThan(1_000)
    expect([told.length, link.state]).toEqual([2, 'gone'])
  })

  it('ends by force what does not end by itself', async () => {
    open()
    const link = await startRunner()
    const startedMs = performance.now()
    await pool.close(200)
    expect(performance.now() - startedMs).toBeLessThan(1_000)
    expect(told).toEqual(['ready', expect.stringContaining(`ended ${link.id} starting crashed`)])
  })

  it('starts no replica any more, not even one that was to be replaced later', async () => {
    await writeFile(join(workshop.directory, 'broken.ts'), 'process.exit(3)')
    open({ replicaEntryPath: join(workshop.directory, 'broken.ts') })
    await until(() => workshop.log.length >= 3)
    await pool.close(1_000)
    const before = workshop.log.length
    await Bun.sleep(500)
    expect(workshop.log).toHaveLength(before)
  })
})
