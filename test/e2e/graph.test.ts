import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startServer, type TestProject, type TestServer, until } from '../support/server.ts'
import { makeGraphProject } from './graph-project.ts'

let project: TestProject
let server: TestServer

beforeAll(async () => {
  project = await makeGraphProject()
  server = await startServer(project, 'dev', ['--replicas', '1'])
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

const models = ['one', 'ten', 'hundred', 'ten']

describe('a graph', () => {
  it('answers with several models in one runner, each as its node asks', async () => {
    const { status, json } = await server.call('/sum', { json: { x: 1 } })
    expect(status).toBe(200)
    // 2, then 12, 102 and 22.
    expect(json).toMatchObject({ sum: 138, models })
    expect(json.at).toHaveLength(1)
  })

  it('says which models answered', async () => {
    const { headers } = await server.call('/sum', { json: { x: 1 } })
    expect(headers.get('server-timing')).toMatch(/model;desc="one\+ten\+hundred"/)
  })

  it('gives its first model to the token, where no node says otherwise', async () => {
    const token = await server.token('hundred')
    const { json } = await server.call('/sum', { json: { x: 1 }, token })
    expect(json).toMatchObject({ models: ['hundred', 'ten', 'hundred', 'ten'] })
    expect((await server.call('/sum', { json: { x: 1 } })).json).toMatchObject({ models })
  })

  it('is refused where one of its models is', async () => {
    const token = await server.token('nobody')
    const { status, json } = await server.call('/sum', { json: { x: 1 }, token })
    expect([status, json.code]).toEqual([404, 'MODEL_NOT_FOUND'])
  })

  it('runs a node for each item, in batches, behind a condition that goes both ways', async () => {
    const together = [4, 4, 4, 4, 1]
    const xs = [1, 2, 3, 4, 5]
    const wide = await server.call('/many', { json: { xs, wide: true } })
    expect(wide.json).toEqual(xs.map((x, index) => ({ x: x + 1, together: together[index] })))
    const narrow = await server.call('/many', { json: { xs, wide: false } })
    expect(narrow.json).toEqual(xs.map((x, index) => ({ x, together: together[index] })))
    expect((await server.call('/many', { json: { xs: [], wide: true } })).json).toEqual([])
  })

  it('may be a node of another, which holds its models', async () => {
    const { json } = await server.call('/outer', { json: { x: 1 } })
    expect(json).toMatchObject({ twice: 276 })
  })

  it('takes files and gives tensors, and hands them on as they are', async () => {
    const { json } = await server.call('/tensors', { json: { bytes: 'AQID' } })
    expect(json).toEqual({ type: 'float32', dims: [3], data: [2, 4, 6] })
    const raw = await server.call('/tensors', {
      body: Uint8Array.of(1, 2),
      headers: { 'content-type': 'image/png', accept: 'application/octet-stream' },
    })
    expect(raw.headers.get('x-tensor-dims')).toBe('2')
  })

  it('streams what its answer streams', async () => {
    const { text, headers } = await server.call('/told', { json: { to: 3 } })
    expect(headers.get('content-type')).toMatch('application/x-ndjson')
    expect(text).toBe('1\n2\n3\n4\n')
  })
})

describe('a node that fails', () => {
  it('is named, and the place of what it does not take begins with its name', async () => {
    const { status, json } = await server.call('/strict', { json: { text: 'abcd' } })
    expect(status).toBe(422)
    expect(json).toMatchObject({
      code: 'INPUT_INVALID',
      detail: expect.stringMatching(/^Node "check": The input of the function "check" does not fit at \/text/),
      issues: [{ path: '/nodes/check/text' }],
    })
  })

  it('is told from a mistake in what the graph was asked with', async () => {
    const { json } = await server.call('/strict', { json: { text: 5 } })
    expect(json).toMatchObject({ code: 'INPUT_INVALID', issues: [{ path: '/text' }] })
  })

  it('is named where it breaks its own promise', async () => {
    const { status, json } = await server.call('/strict', { json: { text: 'a', how: 'long' } })
    expect(status).toBe(500)
    expect(json).toMatchObject({ code: 'OUTPUT_INVALID', issues: [{ path: '/nodes/check' }] })
  })

  it('does not show callers what it throws, but for the log', async () => {
    const { json, text } = await server.call('/strict', { json: { text: 'a', how: 'throw' } })
    expect(json.code).toBe('INTERNAL')
    expect(text).not.toMatch('a secret')
    await until(() => /Node \\"check\\" failed.*a secret/.test(server.log()))
  })

  it('is tried again, and another value answers for it, as the graph says', async () => {
    expect((await server.call('/lenient', { json: { text: 'a', how: 'pass' } })).json).toBe('a.')
    expect((await server.call('/lenient', { json: { text: 'a', how: 'throw' } })).json).toBe('spare')
  })

  it('ends with the deadline of the graph', async () => {
    const { status, json } = await server.call('/strict', { json: { text: 'a', how: 'hang' } })
    expect([status, json.code]).toEqual([504, 'DEADLINE_EXCEEDED'])
    expect((await server.call('/strict', { json: { text: 'b' } })).json).toBe('b.')
  })
})

describe('the models of a graph', () => {
  const residents = async () => {
    const { stdout } = await project.run('ps', '--json')
    const { replicas } = JSON.parse(stdout)
    return replicas.flatMap(({ runners }: { readonly runners: readonly Resident[] }) => runners) as Resident[]
  }

  it('count together, and are listed with the functions that use them', async () => {
    await server.call('/sum', { json: { x: 1 } })
    const all = await residents()
    const resident = all.find(({ function: name, parts }) => name === 'sum' && parts[0]?.modelId === 'one')
    expect(resident?.parts).toMatchObject([
      { function: 'add', modelId: 'one' },
      { function: 'add', modelId: 'ten' },
      { function: 'add', modelId: 'hundred' },
    ])
    expect(resident?.bytes).toBeGreaterThan(4_000_000)
    expect((await project.run('ps')).stdout).toMatch(/sum +one@1\+ten@1\+hundred@1/)
  })

  it('go together when one of them is unloaded', async () => {
    await server.call('/sum', { json: { x: 1 } })
    await server.call('/many', { json: { xs: [1], wide: true } })
    expect((await project.run('models', 'unload', 'ten@1')).code).toBe(0)
    const left = (await residents()).map(({ function: name }) => name)
    expect(left).not.toContain('sum')
    expect(left).toContain('many')
    expect((await server.call('/sum', { json: { x: 1 } })).json).toMatchObject({ sum: 138 })
  })
})

interface Resident {
  readonly function: string
  readonly bytes: number
  readonly parts: readonly { readonly function: string; readonly modelId: string }[]
}

describe('what is told of a graph', () => {
  it('names its nodes and edges', async () => {
    const { json } = await server.call('/-/routes')
    const routes: readonly { readonly name: string; readonly graph?: unknown }[] = json.routes
    expect(routes.find(({ name }) => name === 'many')?.graph).toMatchObject({
      nodes: [
        { name: 'add', function: 'add', after: [], fanOut: true, condition: 'taken' },
        { name: 'derive', function: null, after: ['add'], condition: 'taken' },
        { name: 'together', function: 'together', after: ['derive'], fanOut: true, condition: null },
      ],
      edges: expect.arrayContaining([
        { from: 'input', to: 'add', path: 'xs', kind: 'items' },
        { from: 'input', to: 'together', path: 'wide', kind: 'condition' },
        { from: 'together', to: 'answer', path: '', kind: 'value' },
      ]),
    })
  })

  it('stands in the OpenAPI document', async () => {
    const { json } = await server.call('/-/openapi.json')
    const { description, tags } = json.paths['/sum'].post
    expect(tags).toEqual(['Graphs'])
    expect(description).toMatch(/^Adds with three models\.\n\nIts nodes:\n\n- `add` calls `add`/)
    expect(description).toMatch('- `ten` calls `add`, with the model `ten`, after add')
  })
})

describe('a graph that goes in circles', () => {
  const header = `import { Type } from '@sinclair/typebox'
import { bind, defineGraph, input } from 'isoplex'
`
  const ring = (name: string): string => `${header}import next from './${name}.ts'
const asked = input(Type.Number())
export default defineGraph({ input: asked, answer: bind(next, asked) })
`
  const forward = `${header}import add from './add.ts'
const first = bind(add, { x: second.y })
const second = bind(add, { x: 1 })
export default defineGraph({ answer: [first, second] })
`

  it('is refused when it is built, with the place', async () => {
    const files = { a: ring('b'), b: ring('a'), self: ring('self'), forward }
    const paths = Object.entries(files).map(([name, text]) => [`functions/${name}.ts`, text])
    await using circular = await makeGraphProject(Object.fromEntries(paths))
    const { code, stderr } = await circular.run('build')
    expect(code).not.toBe(0)
    for (const name of ['a', 'b', 'self']) {
      expect(stderr).toMatch(
        new RegExp(`functions/${name}\\.ts:5:\\d+: TypeError: bind\\(\\) got no function`),
      )
    }
    expect(stderr).toMatch(/functions\/forward\.ts:4:\d+: TypeError/)
  })
})

describe('a node with a deployment', () => {
  const apart = `import { Type } from '@sinclair/typebox'
import { bind, defineGraph, handle, input } from 'isoplex'
import add from './add.ts'
const asked = input(Type.Object({ x: Type.Number() }))
const near = bind(add, asked)
const far = bind(handle(add, { deployment: 'adders', model: 'ten' }), { x: near.y })
export default defineGraph({ access: 'public', input: asked, answer: { near, far } })
`

  it('answers in a replica of that deployment, with the model that the graph names', async () => {
    const deployments = [{ name: 'adders', function: 'add', replicas: 1 }]
    await using spread = await makeGraphProject({ 'functions/apart.ts': apart }, { deployments })
    await using both = await startServer(spread, 'serve', ['--replicas', '1'])
    const { json } = await both.call('/apart', { json: { x: 1 } })
    expect(json).toMatchObject({ near: { y: 2, model: 'one' }, far: { y: 12, model: 'ten' } })
    const [near, far] = [json.near.at, json.far.at].map((at: string) => at.split('.')[0])
    expect(near).not.toBe(far)
  }, 60_000)
})
