import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import {
  makeProject,
  type Reply,
  startServer,
  type TestProject,
  type TestServer,
  until,
} from '../support/server.ts'

/** Comes up, and goes, as the model's id says. */
const loading = `
import { dlopen } from 'bun:ffi'
import { readFileSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import { defineInference, multiplexed } from 'isoplex'

/** Takes memory until the system gives no more: this process gets no more than it has and a little. */
function exhaust() {
  const { symbols } = dlopen('libc.so.6', { setrlimit: { args: ['i32', 'ptr'], returns: 'i32' } })
  const [pages] = readFileSync('/proc/self/statm', 'utf8').split(' ')
  const bytes = BigInt(pages) * 4096n + 200_000_000n
  symbols.setrlimit(9, new BigUint64Array([bytes, bytes]))
  const taken = []
  for (;;) taken.push(new Uint8Array(10_000_000))
}

const loads = {
  throws: () => { throw new Error('a secret of the developer') },
  rejects: async () => { await Bun.sleep(1); throw 'a secret of the developer' },
  hangs: () => new Promise(() => {}),
  exhausts: exhaust,
}
export default defineInference({
  input: Type.Object({}),
  model: multiplexed(({ id }) => loads[id]?.() ?? id, {
    unload: (id) => {
      if (id === 'stays') throw new Error('a secret of the unloading')
    },
  }),
  infer: (_, { model }) => ({ model }),
})
`

/** Has room for one model, which does not go away where its id says so. */
const leaving = `
import { Type } from '@sinclair/typebox'
import { defineInference, multiplexed } from 'isoplex'

export default defineInference({
  input: Type.Object({}),
  timeoutMs: 4_000,
  model: multiplexed(({ id }) => id, {
    maxModelsPerReplica: 1,
    unload: async (id) => {
      if (id === 'unload-hangs') await new Promise(() => {})
      if (id === 'unload-spins') for (;;);
    },
  }),
  infer: (_, { model }) => ({ model }),
})
`

// What a process grows by while it loads varies by some megabytes, and the first model brings the engine.
const limitBytes = 100_000_000

let project: TestProject
let server: TestServer

beforeAll(async () => {
  const ids = ['throws', 'rejects', 'hangs', 'exhausts', 'stays', 'sound', 'unload-hangs', 'unload-spins']
  const models = {
    ...Object.fromEntries(ids.map((id) => [id, addConstantModel(1)])),
    'too-large': addConstantModel(1, limitBytes + 1),
    five: addConstantModel(5),
  }
  const files = Object.entries(models).map(([id, bytes]) => [`functions/_models/${id}/model.onnx`, bytes])
  project = await makeProject(
    {
      ...Object.fromEntries(files),
      'functions/loading.ts': loading,
      'functions/leaving.ts': leaving,
      'functions/add.ts': adding,
    },
    { loadTimeoutMs: 3_000, maxModelBytesPerReplica: limitBytes },
  )
  server = await startServer(project, 'serve', ['--replicas', '1', '--metrics-access', 'public'])
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

async function load(model: string): Promise<Reply> {
  return server.call('/loading', { json: {}, token: await server.token(model) })
}

async function add(model: string): Promise<Reply> {
  return server.call('/add', { json: { x: 1 }, token: await server.token(model) })
}

/** Expects that two functions answer, each by a model that is loaded at the end. */
async function expectUnharmed(): Promise<void> {
  const [sound, five] = await Promise.all([load('sound'), add('five')])
  expect(sound).toMatchObject({ status: 200, json: { model: 'sound' } })
  expect(five).toMatchObject({ status: 200, json: { y: 6 } })
}

describe('a load that', () => {
  it.each(['throws', 'rejects'])('%s fails for all who wait for it, and hides why', async (model) => {
    await expectUnharmed()
    const replies = await Promise.all(Array.from({ length: 10 }, () => load(model)))
    for (const { status, json, text } of replies) {
      expect([status, json.code]).toEqual([502, 'MODEL_BROKEN'])
      expect(text).not.toContain('secret')
    }
    await until(() => server.log().includes('a secret of the developer'))
    const { text } = await server.call('/metrics')
    const labels = `function="loading",model="${model}",version="1",reason="MODEL_BROKEN"`
    expect(text).toContain(`isoplex_model_load_failure_total{${labels}} 1\n`)
    await expectUnharmed()
  })

  it('hangs fails in time, and nobody who needs it no more waits for it', async () => {
    await expectUnharmed()
    const hanging = load('hangs')
    await expectUnharmed()
    const reply = await hanging
    expect(reply).toMatchObject({ status: 502, json: { code: 'MODEL_BROKEN' } })
    expect(reply.json.detail).toMatch(/did not come up within 3000 ms/)
    await expectUnharmed()
  })

  it.runIf(process.platform === 'linux')('takes all memory fails alone', async () => {
    await expectUnharmed()
    const exhausting = load('exhausts')
    const others = Array.from({ length: 20 }, expectUnharmed)
    expect(await exhausting).toMatchObject({ status: 502, json: { code: 'MODEL_BROKEN' } })
    await Promise.all(others)
    await expectUnharmed()
  })

  it('is larger than a replica may hold is refused, and evicts nothing', async () => {
    await expectUnharmed()
    const loadsOfFive = async (): Promise<string | undefined> =>
      /^isoplex_model_load_total\{.*model="five".*$/m.exec((await server.call('/metrics')).text)?.[0]
    const before = await loadsOfFive()
    const reply = await add('too-large')
    expect(reply).toMatchObject({
      status: 507,
      json: { code: 'MODEL_TOO_LARGE', model: 'too-large', limitBytes },
    })
    expect(reply.json.bytes).toBeGreaterThan(limitBytes)
    await expectUnharmed()
    expect(before).toBeDefined()
    expect(await loadsOfFive()).toBe(before)
  })
})

describe('an unload', () => {
  it.each(['hangs', 'spins'])(
    'that never ends costs nobody who waits for its place an answer: %s',
    async (how) => {
      const ask = async (model: string): Promise<Reply> =>
        server.call('/leaving', { json: {}, token: await server.token(model) })
      expect(await ask(`unload-${how}`)).toMatchObject({ status: 200 })
      expect(await ask('sound')).toMatchObject({ status: 200, json: { model: 'sound' } })
      await until(() => server.log().includes(`unload-${how}@1`))
      await expectUnharmed()
    },
  )

  it('that throws is told of once, and its model is gone', async () => {
    expect(await load('stays')).toMatchObject({ status: 200, json: { model: 'stays' } })
    const unloaded = await project.run('models', 'unload', 'stays')
    expect(unloaded.code).toBe(0)
    const { text } = await server.call('/metrics')
    expect(text).not.toMatch(/^isoplex_model_resident_count\{.*model="stays"/m)
    await until(() => server.log().includes('a secret of the unloading'))
    await expectUnharmed()
    expect(await load('stays')).toMatchObject({ status: 200 })
    const lines = server.log().split('\n')
    expect(lines.filter((line) => line.includes('a secret of the unloading'))).toHaveLength(1)
  })
})
