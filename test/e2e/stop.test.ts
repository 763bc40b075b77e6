import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { descendantsOf, startServer, type TestProject, type TestServer, until } from '../support/server.ts'
import { expectGone, makeCrashProject, startMixedLoad } from './crash-project.ts'

/** Writes down what happens to it. */
const witness = `
import { appendFileSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import { defineInference, multiplexed } from 'isoplex'

const tell = (what) => appendFileSync(process.cwd() + '/witness', what + '\\n')
export default defineInference({
  access: 'public',
  input: Type.Object({ ms: Type.Integer() }),
  setup: () => { tell('setup'); return 'state' },
  teardown: (state) => tell('teardown ' + state),
  model: multiplexed(() => { tell('load'); return 'model' }, {
    default: 'one',
    unload: async (model) => { await Bun.sleep(50); tell('unload ' + model) },
  }),
  infer: async ({ ms }) => { await Bun.sleep(ms); return { waited: ms } },
})
`

/** Streams until nobody reads any more. */
const endless = `
import { defineFunction } from 'isoplex'

export default defineFunction({
  access: 'public',
  async *handler({ signal }) {
    for (let count = 0; !signal.aborted; count += 1) {
      yield { count }
      await Bun.sleep(20)
    }
  },
})
`

/** Never answers, whatever happens. */
const hanging = `
import { defineFunction } from 'isoplex'

export default defineFunction({ access: 'public', handler: () => new Promise(() => {}) })
`

// The grace is for every client to use each of its connections once more, on a machine that is busy.
const shutdown = { shutdownGraceMs: 1_000, shutdownTimeoutMs: 4_000 }
let project: TestProject

beforeEach(async () => {
  const files = {
    'functions/witness.ts': witness,
    'functions/endless.ts': endless,
    'functions/hanging.ts': hanging,
  }
  project = await makeCrashProject(files, shutdown)
})
afterEach(() => project[Symbol.asyncDispose]())

function witnessed(): string[] {
  const file = join(project.directory, 'witness')
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
}

/** Signals a server and measures how long it takes to end. */
async function timeEnd(server: TestServer): Promise<{ code: number | string; tookMs: number }> {
  const startedMs = performance.now()
  const code = await server.end('SIGTERM')
  return { code, tookMs: performance.now() - startedMs }
}

describe('a server that is told to end', () => {
  it('loses no request of clients that keep their connections', async () => {
    await using server = await startServer(project, 'serve', ['--replicas', '2'])
    const load = startMixedLoad(server, 16)
    const pending = server.call('/witness', { json: { ms: 700 } })
    await until(() => load.answered > 100 && witnessed().includes('load'))
    const descendants = await descendantsOf(server.pid)

    const ended = server.end('SIGTERM')
    await until(async () => (await server.call('/readyz')).status === 503)
    const reply = await server.call('/wait?ms=1')
    expect([reply.status, reply.headers.get('connection')]).toEqual([200, 'close'])
    // Who is not let in any more is refused; whoever still is gets an answer.
    await load.stop()
    expect(load.failures).toEqual([])
    expect(await pending).toMatchObject({ status: 200, json: { waited: 700 } })

    expect(await ended).toBe(0)
    expect(witnessed()).toEqual(['setup', 'load', 'unload model', 'teardown state'])
    await expectGone(descendants)
  })

  it('ends by its time limit under a stream that goes on', async () => {
    await using server = await startServer(project, 'serve', ['--replicas', '1'])
    await server.call('/witness', { json: { ms: 1 } })
    const { body } = await fetch(`${server.url}/endless`)
    let bytes = 0
    const reading = (async () => {
      for await (const chunk of body ?? []) bytes += chunk.length
    })().then(
      () => 'whole',
      () => 'broken off',
    )
    await until(() => bytes > 0)
    const { code, tookMs } = await timeEnd(server)
    expect(code).toBe(0)
    expect(await reading).toBe('broken off')
    expect(tookMs).toBeLessThan(shutdown.shutdownTimeoutMs + 500)
    expect(witnessed()).toEqual(['setup', 'load', 'unload model', 'teardown state'])
  })

  it('ends by its time limit under a function that hangs', async () => {
    await using server = await startServer(project, 'serve', ['--replicas', '1'])
    await server.call('/witness', { json: { ms: 1 } })
    void server.call('/hanging').catch(() => undefined)
    await until(async () => (await server.call('/readyz')).json.replicas.ready[0].runners === 2)
    const descendants = await descendantsOf(server.pid)
    const { code, tookMs } = await timeEnd(server)
    expect(code).toBe(0)
    expect(tookMs).toBeLessThan(shutdown.shutdownTimeoutMs + 500)
    expect(witnessed()).toEqual(['setup', 'load', 'unload model', 'teardown state'])
    await expectGone(descendants)
  })

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'does the same where its children get the %s too',
    async (signal) => {
      await using server = await startServer(project, 'serve', ['--replicas', '2'])
      const load = startMixedLoad(server)
      const pending = server.call('/witness', { json: { ms: 500 } })
      await until(() => load.answered > 20 && witnessed().includes('load'))
      const descendants = await descendantsOf(server.pid)
      // As a terminal does: everybody in the foreground hears of it.
      for (const pid of descendants) process.kill(pid, signal)
      const ended = server.end(signal)
      await until(async () => (await server.call('/readyz')).status === 503)
      await load.stop()
      expect(load.failures).toEqual([])
      expect(await pending).toMatchObject({ status: 200 })
      expect(await ended).toBe(0)
      expect(witnessed()).toEqual(['setup', 'load', 'unload model', 'teardown state'])
      await expectGone(descendants)
    },
  )

  it('ends at once at a second signal', async () => {
    await using server = await startServer(project, 'serve', ['--replicas', '1'])
    void server.call('/hanging').catch(() => undefined)
    await until(async () => (await server.call('/readyz')).json.replicas.ready[0].runners === 1)
    const descendants = await descendantsOf(server.pid)
    const first = server.end('SIGTERM')
    await until(async () => (await server.call('/readyz')).status === 503)
    const startedMs = performance.now()
    expect(await server.end('SIGTERM')).toBe(1)
    expect(performance.now() - startedMs).toBeLessThan(500)
    await first
    await expectGone(descendants)
  })
})
