import { afterEach, beforeEach, describe, expect, it } from 'vitest'
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

let project: TestProject
let server: TestServer

beforeEach(async () => {
  project = await makeProject({
    'functions/add.ts': adding,
    '1.onnx': addConstantModel(1),
    '2.onnx': addConstantModel(2),
    '3.onnx': addConstantModel(3),
  })
  await project.run('models', 'add', '1.onnx', '--id', 'sum')
  server = await startServer(project, 'serve', ['--replicas', '1', '--runner-idle-ms', '300'])
})
afterEach(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

/** Asks over and over, several at a time, until it is told to end; gives all replies. */
function askOn(token: string): { end(): Promise<Reply[]>; readonly replies: Reply[] } {
  const replies: Reply[] = []
  let ended = false
  const ask = async (): Promise<void> => {
    while (!ended) replies.push(await server.call('/add', { json: { x: 0 }, token }))
  }
  const all = Promise.all([ask(), ask(), ask()])
  return {
    replies,
    async end() {
      ended = true
      await all
      return replies
    },
  }
}

const versionsOf = (replies: readonly Reply[]): Set<unknown> =>
  new Set(replies.map(({ json }) => json.version))

describe('a new version', () => {
  it('rolls in without a failed request, and the old one leaves when it is idle', async () => {
    const asking = askOn(await server.token('sum'))
    await until(() => asking.replies.some(({ json }) => json?.version === '1'))
    await project.run('models', 'add', '2.onnx', '--id', 'sum')
    await until(() => asking.replies.some(({ json }) => json?.version === '2'))
    // The old one has nothing to do any more.
    await until(async () => {
      const { replicas } = (await server.call('/readyz')).json
      return replicas.ready.every(({ models }: { models: number }) => models === 1)
    })
    const replies = await asking.end()
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]))
    const order = replies.map(({ json }) => Number(json.version))
    expect(order.slice(order.lastIndexOf(1) + 1).every((version) => version === 2)).toBe(true)
    for (const { json } of replies) expect(json.y).toBe(Number(json.version))
  })
})

describe('a token', () => {
  it('may name a version, or an alias that comes to mean another one', async () => {
    await project.run('models', 'add', '2.onnx', '--id', 'sum')
    const ask = async (model: string) => {
      const { status, json } = await server.call('/add', { json: { x: 0 }, token: await server.token(model) })
      return { status, version: json.version, code: json.code }
    }
    expect(await ask('sum@1')).toMatchObject({ version: '1' })
    expect(await ask('sum@2')).toMatchObject({ version: '2' })
    expect(await ask('sum')).toMatchObject({ version: '2' })
    expect(await ask('sum@3')).toMatchObject({ status: 404, code: 'MODEL_NOT_FOUND' })
    expect(await ask('sum@prod')).toMatchObject({ status: 404, code: 'MODEL_NOT_FOUND' })
    expect((await project.run('models', 'alias', 'sum', 'prod', '1')).code).toBe(0)
    await until(async () => (await ask('sum@prod')).version === '1')
    expect((await project.run('models', 'alias', 'sum', 'prod', '2')).code).toBe(0)
    await until(async () => (await ask('sum@prod')).version === '2')
    expect((await project.run('models', 'unalias', 'sum', 'prod')).code).toBe(0)
    await until(async () => (await ask('sum@prod')).status === 404)
  })
})

describe('an alias of two versions', () => {
  it('shares requests by weight, the same to the same sticky key', async () => {
    await project.run('models', 'add', '2.onnx', '--id', 'sum')
    await project.run('models', 'alias', 'sum', 'prod', '1:80,2:20')
    const token = await server.token('sum@prod')
    const ask = async (key: string): Promise<Reply> => {
      const headers = { 'x-sticky-key': key }
      return server.call('/add', { json: { x: 0 }, token, headers })
    }
    await until(async () => (await ask('nobody')).status === 200)
    const keys = Array.from({ length: 200 }, (_, index) => `user ${index}`)
    const first = await Promise.all(keys.map(ask))
    const again = await Promise.all(keys.map(ask))
    expect(again.map(({ json }) => json.version)).toEqual(first.map(({ json }) => json.version))
    const second = first.filter(({ json }) => json.version === '2').length
    // 200 draws of 0.2: seven standard deviations on either side.
    expect(second).toBeGreaterThan(0)
    expect(second).toBeLessThan(80)
    expect(versionsOf(first)).toEqual(new Set(['1', '2']))
    const unkeyed = await Promise.all(
      Array.from({ length: 20 }, () => server.call('/add', { json: { x: 0 }, token })),
    )
    expect(versionsOf(unkeyed).size).toBe(1)
  })
})
