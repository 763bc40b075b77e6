import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startServer, type TestProject, type TestServer, until } from '../support/server.ts'
import { makeCallsProject, modelNames, summed } from './calls-project.ts'
import { replicasOf } from './crash-project.ts'

const tight = { maxModelsPerReplica: 1, maxRunnersPerReplica: 1, requestTimeoutMs: 60_000 }

interface Scene extends AsyncDisposable {
  readonly project: TestProject
  readonly server: TestServer
}

async function open(
  settings: Readonly<Record<string, unknown>>,
  ...flags: readonly string[]
): Promise<Scene> {
  const project = await makeCallsProject(settings)
  const server = await startServer(project, 'serve', flags)
  return {
    project,
    server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await project[Symbol.asyncDispose]()
    },
  }
}

const modelAt = (index: number): string => modelNames[index % modelNames.length] ?? 'one'

/** Each load of a model starts a thread, which takes its time where much else goes on. */
const patience = { timeout: 120_000 }

describe('functions that call each other', patience, () => {
  it.each([
    ['1', 1],
    ['2', 2],
  ])(
    'do not wait for ever where there is room for one model in %s replica(s)',
    async (replicas, maxParallelLoads) => {
      await using scene = await open({ ...tight, maxParallelLoads }, '--replicas', replicas)
      const { server } = scene
      const asked = Array.from({ length: 24 }, async (_, index) => {
        const steps = Array.from({ length: 1 + (index % 4) }, (_, step) => modelAt(index + step))
        const { status, json } = await server.call('/chain', { json: { steps } })
        expect([status, json]).toEqual([200, { models: ['one', ...steps] }])
      })
      const fans = Array.from({ length: 6 }, async () => {
        const { status, json } = await server.call('/fan', { json: { models: modelNames } })
        expect([status, json]).toEqual([200, modelNames])
      })
      await Promise.all([...asked, ...fans])
      // Once all is quiet the limits hold again.
      await until(async () => (await summed(server, 'isoplex_model_resident_count')) <= Number(replicas))
      // A call of what the caller's own runner holds is none.
      expect(await summed(server, 'isoplex_call_success_total')).toBeGreaterThanOrEqual(60)
      expect(await summed(server, 'isoplex_call_failure_total')).toBe(0)
    },
  )

  it.each([
    ['2', {}],
    ['1', tight],
  ])(
    'lose nothing where %s replica(s) of callers and callees are killed under load: %j',
    async (replicas, limits) => {
      await using scene = await open({ requestTimeoutMs: 60_000, ...limits }, '--replicas', replicas)
      const { server } = scene
      let stopped = false
      let answered = 0
      const failures: string[] = []
      const loops = Array.from({ length: 8 }, async (_, index) => {
        const steps = [modelAt(index), modelAt(index + 1)]
        while (!stopped) {
          const { status, text } = await server.call('/chain', { json: { steps, ms: 2 } })
          if (status === 200) answered += 1
          else failures.push(text)
        }
      })
      for (let round = 0; round < 2; round += 1) {
        const before = answered
        await until(
          async () => answered > before + 10 && (await replicasOf(server)).length === Number(replicas) + 1,
        )
        const [first] = await replicasOf(server)
        if (first !== undefined) process.kill(first, 'SIGKILL')
      }
      const before = answered
      await until(() => answered > before + 10)
      stopped = true
      await Promise.all(loops)
      expect(failures).toEqual([])
    },
  )

  it('tell the caller of a function that ends its replica, and of nobody else', async () => {
    await using scene = await open({}, '--replicas', '2')
    const { server } = scene
    const other = Promise.all(
      [1, 2, 3].map(() => server.call('/chain', { json: { steps: ['two'], ms: 500 } })),
    )
    const bad = await server.call('/chain', { json: { steps: ['three'], act: 'kill' } })
    expect(bad).toMatchObject({ status: 503, json: { code: 'REPLICA_CRASHED' } })
    expect((await other).map(({ status }) => status)).toEqual([200, 200, 200])
  })

  it('tell those whom they call when nobody waits any more', async () => {
    await using scene = await open({}, '--replicas', '1')
    const { server, project } = scene
    const witness = (): string => {
      const file = join(project.directory, 'witness')
      return existsSync(file) ? readFileSync(file, 'utf8') : ''
    }
    const client = new AbortController()
    const body = JSON.stringify({ steps: ['two', 'three'], act: 'hang' })
    const headers = { 'content-type': 'application/json' }
    const asked = fetch(`${server.url}/chain`, { method: 'POST', headers, body, signal: client.signal })
    await until(() => witness() === 'begun ')
    client.abort()
    await expect(asked).rejects.toThrow()
    await until(() => witness() === 'begun left ')
  })

  it('fail by the deadline of who asked first', async () => {
    await using scene = await open({ requestTimeoutMs: 700 }, '--replicas', '1')
    const reply = await scene.server.call('/chain', { json: { steps: ['two', 'three'], act: 'hang' } })
    expect(reply).toMatchObject({ status: 504, json: { code: 'DEADLINE_EXCEEDED' } })
  })

  it('are finished before the server stops', async () => {
    await using scene = await open(
      { ...tight, shutdownGraceMs: 500, shutdownTimeoutMs: 15_000 },
      '--replicas',
      '1',
    )
    const { server } = scene
    const asked = modelNames.map((model) =>
      server.call('/chain', { json: { steps: [model, 'two', 'three'], ms: 100 } }),
    )
    await until(async () => (await summed(server, 'isoplex_call_success_total')) > 0)
    expect(await server.end('SIGTERM')).toBe(0)
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 200, 200, 200])
  })

  it('count as their callers’ own: who asks little waits for no more than a turn of who calls much', async () => {
    await using scene = await open({}, '--replicas', '1', '--max-requests-per-principal', '40')
    const { server, project } = scene
    for (const tenant of ['much', 'little']) await project.run('tenants', 'add', tenant)
    const [much, little] = await Promise.all(['much', 'little'].map((tenant) => server.token('one', tenant)))
    let left = 40
    const crowd = Array.from({ length: 40 }, async () => {
      const { status } = await server.call('/chain', { json: { steps: ['two'], ms: 20 }, token: much ?? '' })
      left -= 1
      return status
    })
    await until(() => left < 38)
    const own = await server.call('/chain', { json: { steps: ['two'], ms: 20 }, token: little ?? '' })
    expect([own.status, left > 10]).toEqual([200, true])
    expect(new Set(await Promise.all(crowd))).toEqual(new Set([200]))
  })
})
