import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startServer, type TestProject, type TestServer, until } from '../support/server.ts'
import { act, makeCrashProject, replicasOf, startMixedLoad } from './crash-project.ts'

let project: TestProject
let server: TestServer

beforeAll(async () => {
  project = await makeCrashProject()
  server = await startServer(project, 'serve', ['--replicas', '2'])
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

beforeEach(() => untilReplaced([]))

/** Waits until every replica that was there has been replaced and takes orders, and a spare is there, too. */
async function untilReplaced(killed: readonly number[]): Promise<void> {
  await until(async () => {
    const ready = (await server.call('/readyz')).json.replicas.ready.length
    const alive = await replicasOf(server)
    return ready === 2 && alive.length === 3 && alive.every((pid) => !killed.includes(pid))
  })
}

describe('a replica that is killed', () => {
  it.each([
    ['one', 1],
    ['all at once', 3],
  ])('costs no request under load: %s', async (_, count) => {
    const load = startMixedLoad(server)
    await until(() => load.answered > 50)
    const killed = (await replicasOf(server)).slice(0, count)
    for (const pid of killed) process.kill(pid, 'SIGKILL')
    await untilReplaced(killed)
    const before = load.answered
    await until(() => load.answered > before + 50)
    await load.stop()
    expect(load.failures).toEqual([])
  })

  it('costs no request even where it happens again and again', async () => {
    const load = startMixedLoad(server)
    for (let round = 0; round < 8; round += 1) {
      const [victim] = await replicasOf(server)
      if (victim !== undefined) process.kill(victim, 'SIGKILL')
      const before = load.answered
      await until(() => load.answered > before + 10)
    }
    await load.stop()
    expect(load.failures).toEqual([])
    await untilReplaced([])
  })

  it('fails at once what must not run twice', async () => {
    const file = `${project.directory}/begun`
    const pending = server.call('/once', { json: { file } })
    await until(() => Bun.file(file).exists())
    const killed = await replicasOf(server)
    const startedMs = performance.now()
    for (const pid of killed) process.kill(pid, 'SIGKILL')
    const reply = await pending
    expect(performance.now() - startedMs).toBeLessThan(1_000)
    expect(reply).toMatchObject({ status: 503, json: { code: 'REPLICA_CRASHED' } })
    expect(await Bun.file(file).text()).toBe('begun\n')
    await untilReplaced(killed)
  })
})

describe('a request that kills', () => {
  it.each(['kill', 'segfault'])('fails after a further try, and harms no other: %s', async (how) => {
    const load = startMixedLoad(server)
    await until(() => load.answered > 20)
    const replies = await Promise.all([act(server, how), act(server, how), act(server, 'nothing')])
    expect(replies.map(({ status }) => status)).toEqual([503, 503, 200])
    expect(replies[0]?.json.code).toBe('REPLICA_CRASHED')
    await load.stop()
    expect(load.failures).toEqual([])
  })

  it('fails alone of its batch', async () => {
    const load = startMixedLoad(server)
    const xs = [1, 2, -1, 3, 4, 5, -2, 6, 7, 8, 9, 10]
    const replies = await Promise.all(xs.map((x) => server.call('/fragile', { json: { x } })))
    for (const [index, x] of xs.entries()) {
      expect([x, replies[index]?.status]).toEqual([x, x < 0 ? 503 : 200])
    }
    await load.stop()
    expect(load.failures).toEqual([])
  })

  it.each(['exit', 'throw later', 'reject later'])(
    'ends its thread only, where it does no worse: %s',
    async (how) => {
      const before = await replicasOf(server)
      const load = startMixedLoad(server)
      const reply = await act(server, how)
      expect(reply).toMatchObject({ status: 503, json: { code: 'REPLICA_CRASHED' } })
      expect(await act(server, 'nothing')).toMatchObject({ status: 200 })
      await load.stop()
      expect(load.failures).toEqual([])
      // The spare has been used up to try the request alone.
      const after = await replicasOf(server)
      expect(before.filter((pid) => after.includes(pid)).length).toBeGreaterThanOrEqual(2)
      await until(() => server.log().includes('A runner ended by itself'))
    },
  )

  it.each(['loop', 'hang'])('is ended with its thread where it does not end: %s', async (how) => {
    const before = await replicasOf(server)
    const load = startMixedLoad(server)
    const reply = await server.call('/stuck', { json: { how } })
    expect(reply).toMatchObject({ status: 504, json: { code: 'DEADLINE_EXCEEDED' } })
    await until(async () => (await server.call('/stuck', { json: { how: 'nothing' } })).status === 200)
    await load.stop()
    expect(load.failures).toEqual([])
    expect(await replicasOf(server)).toEqual(before)
  })
})

describe('what functions print', () => {
  it('goes where the log goes, so that programs can read the output of the command', async () => {
    expect(await act(server, 'nothing')).toMatchObject({ status: 200 })
    await until(() => server.log().includes('printed by a function'))
    expect(server.events.at(-1)).toMatchObject({ event: 'listening' })
  })
})

describe('the registry', () => {
  it('may fail for what it is asked, and takes nothing else along', async () => {
    const database = join(project.directory, '.isoplex/registry.sqlite')
    for (const name of [database, `${database}-wal`]) await writeFile(name, 'no database')
    const token = await server.token('another')
    const reply = await server.call('/add', { json: { x: 1 }, token })
    expect(reply.status).toBeGreaterThanOrEqual(400)
    expect((await server.call('/add', { json: { x: 1 } })).json).toEqual({ y: 2 })
    expect((await server.call('/healthz')).status).toBe(200)
  })
})
