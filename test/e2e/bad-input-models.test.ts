import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { buildArchive } from '../support/archive-builder.ts'
import { type BesiegedServer, besiege } from '../support/besieged-server.ts'
import { adding } from '../support/function-files.ts'
import {
  addConstantModel,
  garbageBytes,
  joinModel,
  unknownOperatorModel,
  writeExternalDataModel,
} from '../support/onnx-models.ts'
import { descendantsOf, type Reply } from '../support/server.ts'

/** Feeds the model whatever it is given. */
const feedFunction = `
import { Type } from '@sinclair/typebox'
import { defineInference, onnx, tensor } from 'isoplex'

const feed = Type.Object({ type: Type.String(), dims: Type.Array(Type.Integer()), data: Type.Array(Type.Number()) })

export default defineInference({
  input: Type.Record(Type.String(), feed),
  model: onnx(),
  async infer(input, { model }) {
    const feeds = Object.entries(input).map(([name, { type, dims, data }]) => [
      name,
      tensor(type, type === 'float64' ? Float64Array.from(data) : Float32Array.from(data), dims),
    ])
    const { joined } = await model.run(Object.fromEntries(feeds))
    return joined.dims
  },
})
`

const readMe = { name: 'read.me', content: 'nothing here' }
const broken = {
  garbage: garbageBytes(),
  zeros: new Uint8Array(1_000),
  text: 'not a model',
  short: addConstantModel(5).slice(0, -20),
  operator: unknownOperatorModel(),
}

let besieged: BesiegedServer

beforeAll(async () => {
  const models = { ...broken, five: addConstantModel(5), join: joinModel() }
  besieged = await besiege({
    'functions/add.ts': adding,
    'functions/feed.ts': feedFunction,
    ...Object.fromEntries(
      Object.entries(models).map(([id, bytes]) => [`functions/_models/${id}/model.onnx`, bytes]),
    ),
    'functions/_models/none/model.zip': buildArchive([readMe]),
    'functions/_models/empty/model.zip': buildArchive([]),
  })
})
afterEach(async () => {
  expect(await callAdd('five')).toMatchObject({ status: 200, json: { y: 6 } })
  await besieged.expectUnharmed()
})
afterAll(() => besieged[Symbol.asyncDispose]())

async function callAdd(modelId: string): Promise<Reply> {
  const token = besieged.sent(await besieged.server.token(modelId))
  return await besieged.server.call('/add', { json: { x: 1 }, token })
}

/** The replica, and whatever else the server has started. */
function children(): Promise<number[]> {
  return descendantsOf(besieged.server.pid)
}

describe('a model file that is broken', () => {
  it.each(Object.keys(broken))('gets 502, and the replica lives on: %s', async (id) => {
    const before = await children()
    for (const _ of ['at first', 'once more']) {
      const reply = await callAdd(id)
      expect(reply).toMatchObject({ status: 502, json: { code: 'MODEL_BROKEN', status: 502 } })
      expect(reply.headers.get('content-type')).toBe('application/problem+json')
      expect(reply.text).not.toContain(besieged.project.directory)
    }
    expect(await children()).toEqual(expect.arrayContaining(before))
  })

  it('gets 502 once for a crowd that asks for it at a time', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => callAdd('garbage')))
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([502]))
  })
})

describe('an artifact that holds no model', () => {
  it.each(['none', 'empty'])('gets 502 that says so: %s', async (id) => {
    const reply = await callAdd(id)
    expect(reply).toMatchObject({ status: 502 })
    expect(reply.json.detail).toMatch(/\.onnx|no file|empty/)
  })
})

describe('a model whose data lies elsewhere', () => {
  it.each(['../../../../../../../../etc/hostname', '/etc/hostname', 'missing.data'])(
    'gets 502: %s',
    async (location) => {
      const id = `outside-${location.replaceAll(/[^a-z]/g, '')}`
      const folder = join(besieged.project.directory, 'sources', id)
      await besieged.project.write(`sources/${id}/note.txt`, '')
      writeExternalDataModel(folder, [1, 2, 3], location)
      const added = await besieged.project.run('models', 'add', folder, '--id', id)
      expect(added.code).toBe(0)
      expect(await callAdd(id)).toMatchObject({ status: 502, json: { code: 'MODEL_BROKEN' } })
    },
  )

  it('behind a link is refused when it is added', async () => {
    await besieged.project.write('sources/linked/model.onnx', addConstantModel(5))
    await symlink('/etc/hostname', join(besieged.project.directory, 'sources/linked/weights.data'))
    const added = await besieged.project.run('models', 'add', 'sources/linked', '--id', 'linked')
    expect(added.code).toBe(1)
    expect(added.stderr).toMatch(/is a link/)
  })
})

describe('tensors that the model does not take', () => {
  const left = { type: 'float32', dims: [2, 3], data: [1, 2, 3, 4, 5, 6] }
  const right = { type: 'float32', dims: [2, 2], data: [1, 2, 3, 4] }

  async function feed(json: unknown): Promise<Reply> {
    const token = besieged.sent(await besieged.server.token('join'))
    return await besieged.server.call('/feed', { json, token })
  }

  it.each([
    [
      'another shape',
      { left, right: { ...right, dims: [4, 1] } },
      'right',
      /"right".*\[batch, 2\].*\[4, 1\]/,
    ],
    ['fewer dimensions', { left, right: { ...right, dims: [4] } }, 'right', /"right".*\[batch, 2\].*\[4\]/],
    ['another type', { left: { ...left, type: 'float64' }, right }, 'left', /"left".*float32.*float64/],
    ['a missing one', { left }, 'right', /"right"/],
    ['an unknown one', { left, right, extra: right }, 'extra', /"extra"/],
    [
      'two sizes of one dimension',
      { left, right: { ...right, dims: [1, 2], data: [1, 2] } },
      'right',
      /batch/,
    ],
  ])('get 422 that names the input and both shapes: %s', async (_, json, tensor, words) => {
    const reply = await feed(json)
    expect(reply).toMatchObject({ status: 422, json: { code: 'TENSOR_MISMATCH', status: 422, tensor } })
    expect(reply.json.detail).toMatch(words)
  })

  it('leave the model to those that it takes', async () => {
    expect(await feed({ left, right })).toMatchObject({ status: 200, json: [2, 5] })
  })
})
