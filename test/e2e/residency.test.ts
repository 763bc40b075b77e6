import { describe, expect, it } from 'vitest'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, type Reply, startServer, type TestServer, until } from '../support/server.ts'

const files = {
  'functions/add.ts': adding,
  'functions/_models/34/model.onnx': addConstantModel(34),
  'functions/_models/7/model.onnx': addConstantModel(7),
}
const bearing = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

interface Runner {
  readonly modelId: string | null
  readonly pinned: boolean
  readonly state: string
}

const runnersOf = ({ json }: Reply): Runner[] =>
  json.replicas.flatMap(({ runners }: { readonly runners: readonly Runner[] }) => runners)

/** What serves in a server, as its administration tells. */
async function loadedIn(server: TestServer, admin: string): Promise<string[]> {
  return runnersOf(await server.call('/-/replicas', bearing(admin)))
    .filter(({ state }) => state === 'active')
    .map(({ modelId, pinned }) => `${modelId}${pinned ? ' pinned' : ''}`)
    .toSorted()
}

describe('the models of the configuration', () => {
  it('are there before anybody asks, and a server is not ready before', async () => {
    await using project = await makeProject(files)
    const config = ['--replicas', '1', '--pinned-models', 'add=34@1', '--preload-models', '7,nobody']
    await using server = await startServer(project, 'serve', config)
    await until(async () => {
      const { status, json } = await server.call('/readyz')
      if (json.preloads.loading > 0) expect(status).toBe(503)
      return status === 200
    })
    expect((await server.call('/readyz')).json.preloads).toEqual({ loading: 0, loaded: 2, failed: 1 })
    expect(server.log()).toMatch(/A model of the configuration is not loaded.*"nobody".*preloadModels/)
    const admin = (await project.run('access', 'add', '--right', 'admin')).stdout.trim()
    expect(await loadedIn(server, admin)).toEqual(['34 pinned', '7'])
  })
})

describe('a pinned model', () => {
  it('is loaded for the new version of its function, and no longer once it is unpinned', async () => {
    await using project = await makeProject(files)
    await using server = await startServer(project, 'dev', ['--replicas', '1', '--pinned-models', '34'])
    const admin = (await project.run('access', 'add', '--right', 'admin')).stdout.trim()
    const report = async () => (await server.call('/-/replicas', bearing(admin))).json
    await until(async () => (await loadedIn(server, admin)).includes('34 pinned'))
    await project.write('functions/add.ts', `${adding}\nexport const changed = true\n`)
    await server.event(({ event }) => event === 'live')
    await until(async () => {
      const { departures } = await report()
      return departures.length > 0 && (await loadedIn(server, admin)).includes('34 pinned')
    })
    expect((await report()).departures).toMatchObject([{ function: 'add', reason: 'stale' }])
    const token = await server.token('34')
    expect((await server.call('/add', { json: { x: 1 }, token })).json).toMatchObject({ y: 35 })
    await project.run('models', 'unload', '34')
    expect(await loadedIn(server, admin)).toEqual([])
    expect((await server.call('/add', { json: { x: 1 }, token })).json).toMatchObject({ y: 35 })
    expect(await loadedIn(server, admin)).toEqual(['34'])
  })
})

describe('/metrics', () => {
  const metrics = (server: TestServer, token?: string): Promise<Reply> =>
    server.call('/metrics', token === undefined ? {} : bearing(token))

  it('asks for an access that may administer', async () => {
    await using project = await makeProject(files)
    await using server = await startServer(project, 'serve', ['--replicas', '1'])
    const [admin = '', weaker = ''] = await Promise.all(
      ['admin', 'publish'].map(async (right) =>
        (await project.run('access', 'add', '--right', right)).stdout.trim(),
      ),
    )
    expect((await metrics(server)).json).toMatchObject({ code: 'ACCESS_REQUIRED' })
    expect((await metrics(server, weaker)).json).toMatchObject({ code: 'ACCESS_FORBIDDEN' })
    expect((await metrics(server, await server.token('34'))).status).toBe(401)
    expect((await server.call('/metrics', { token: await server.token('34') })).status).toBe(401)
    await project.run('models', 'load', '34')
    const { status, text, headers } = await metrics(server, admin)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(text).toMatch(/^isoplex_model_resident_count\{function="add",model="34",version="1"\} 1$/m)
    expect(text).toMatch(/^isoplex_model_load_total\{function="add",model="34",version="1"\} 1$/m)
    expect(text).toMatch(/^isoplex_replica_count\{state="serving"\} 1$/m)
  })

  it('tells what became of requests, of whom and of which model', async () => {
    await using project = await makeProject(files)
    await using server = await startServer(project, 'dev', ['--replicas', '1'])
    const token = await server.token('34', 'acme')
    for (const x of [1, 2, 3]) await server.call('/add', { json: { x }, token })
    expect((await server.call('/add', { json: { x: 'no number' }, token })).status).toBe(422)
    const { text } = await metrics(server)
    const labels = 'function="add",model="34",version="1"'
    const countOf = (series: string): number =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`isoplex_${series} `))
          ?.split(' ')
          .at(-1),
      )
    expect(countOf(`inference_request_success_total{${labels}}`)).toBe(3)
    expect(countOf(`inference_request_failure_total{${labels},reason="INPUT_INVALID"}`)).toBe(1)
    expect(countOf(`inference_count_total{${labels}}`)).toBe(4)
    expect(countOf('inference_request_duration_seconds_count{function="add"}')).toBe(3)
    expect(countOf('inference_queue_duration_seconds_count{function="add"}')).toBe(4)
    expect(countOf('inference_batch_size_sum{function="add"}')).toBe(4)
    expect(countOf('principal_request_total{principal="tenant:acme"}')).toBe(4)
  })

  it('is open where the configuration says so', async () => {
    await using project = await makeProject(files)
    await using server = await startServer(project, 'serve', ['--metrics-access', 'public'])
    expect((await metrics(server)).status).toBe(200)
    expect((await server.call('/metrics', { method: 'HEAD' })).status).toBe(200)
    expect((await server.call('/metrics', { json: {} })).json).toMatchObject({ code: 'METHOD_NOT_ALLOWED' })
  })

  it('is open in dev, but to no page of another origin', async () => {
    await using project = await makeProject(files)
    await using server = await startServer(project, 'dev')
    const accept = { headers: { accept: 'application/openmetrics-text' } }
    expect((await server.call('/metrics', accept)).text).toMatch(/\n# EOF\n$/)
    const page = { headers: { origin: 'http://evil.example' } }
    expect((await server.call('/metrics', page)).json).toMatchObject({ code: 'ORIGIN_REFUSED' })
  })
})
