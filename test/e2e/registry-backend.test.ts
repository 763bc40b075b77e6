import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import {
  type CallOptions,
  makeProject,
  type Reply,
  startServer,
  type TestProject,
  type TestServer,
  until,
} from '../support/server.ts'
import { TcpClient } from '../support/tcp-client.ts'

let project: TestProject
let server: TestServer
let token: string

beforeAll(async () => {
  project = await makeProject({ 'functions/add.ts': adding })
  server = await startServer(project, 'serve', ['--replicas', '1'])
  await project.run('tenants', 'add', 'acme')
  const made = await project.run('access', 'add', '--right', 'publish', '--tenant', 'acme')
  token = made.stdout.trim()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

/** Sends what the SDK's client sends: its header, and JSON or a form. */
function ask(path: string, options: CallOptions = {}): Promise<Reply> {
  const headers = { authorization: `Token ${token}`, 'synapse-tenant': 'Token acme', ...options.headers }
  return server.call(`/-/registry/${path}`, { ...options, headers })
}

function md5Of(bytes: Uint8Array): string {
  return new Bun.CryptoHasher('md5').update(bytes).digest('hex')
}

/** Uploads bytes in chunks of a size, and gives the upload's id. */
async function upload(bytes: Uint8Array<ArrayBuffer>, chunkBytes: number): Promise<string> {
  let path = 'chunked_upload/'
  let id = ''
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    const part = bytes.slice(start, start + chunkBytes)
    const body = new FormData()
    body.append('file', new File([part], 'chunk'))
    body.append('filename', 'model.onnx')
    const range = `bytes ${start}-${start + part.length - 1}/${bytes.length}`
    const { json } = await ask(path, { method: 'PUT', body, headers: { 'content-range': range } })
    expect(json.offset).toBe(start + part.length)
    path = new URL(json.url).pathname.replace('/-/registry/', '')
    id = json.id
  }
  expect((await ask(path, { json: { md5: md5Of(bytes) } })).json).toMatchObject({ id, size: bytes.length })
  return id
}

/** Waits until a model answers with a status; a server may take a moment to hear of a change. */
async function answered(model: string, status: number): Promise<Reply> {
  const call = async () => server.call('/add', { json: { x: 10 }, token: await server.token(model, 'acme') })
  let reply = await call()
  await until(async () => {
    if (reply.status === status) return true
    reply = await call()
    return false
  })
  return reply
}

describe('the registry as a Synapse backend', () => {
  it('takes a model in chunks, lists it, serves it, and gives its bytes to whoever has the link', async () => {
    const model = addConstantModel(1)
    const id = await upload(model, 100)
    const added = await ask('models/', {
      json: { name: '34', plugin: 1, version: '1.0.0', chunked_upload: id },
    })
    expect(added).toMatchObject({ status: 201, json: { id: 34, name: '34', version: '1', plugin: 1 } })
    expect((await ask('models/')).json).toMatchObject({ count: 1, next: null, results: [{ id: 34 }] })
    const { json } = await ask('models/34/')
    const reply = await fetch(json.file)
    expect(new Uint8Array(await reply.arrayBuffer())).toEqual(model)
    const rest = await fetch(json.file, { headers: { range: 'bytes=10-' } })
    expect([rest.status, (await rest.arrayBuffer()).byteLength]).toEqual([206, model.length - 10])
    expect((await answered('34', 200)).json).toMatchObject({ y: 11 })
  })

  it('takes chunks of many megabytes', async () => {
    const bytes = new Uint8Array(30_000_000)
    for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536))
    const id = await upload(bytes, 16_000_000)
    const added = await ask('models/', { json: { name: 'large', chunked_upload: id } })
    expect(added.json.size).toBe(bytes.length)
    const reply = await fetch(added.json.file)
    expect(md5Of(new Uint8Array(await reply.arrayBuffer()))).toBe(md5Of(bytes))
  })

  it('goes on for others while somebody reads an artifact slowly, or not at all', async () => {
    const { json } = await ask('models/large/')
    const url = new URL(json.file)
    const stalled = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const client = await TcpClient.connect(url.origin)
        await client.send(`GET ${url.pathname}${url.search} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
        return client
      }),
    )
    expect((await ask('models/')).status).toBe(200)
    const reply = await fetch(json.file)
    expect((await reply.arrayBuffer()).byteLength).toBe(30_000_000)
    for (const client of stalled) client[Symbol.dispose]()
  })

  it('tells the token and the grant to no log', async () => {
    const { json } = await ask('models/34/')
    await fetch(`${json.file}x`)
    await fetch(json.file.replace('artifacts', 'elsewhere'))
    const grant = new URL(json.file).searchParams.get('grant') ?? ''
    expect(grant).not.toBe('')
    for (const secret of [grant, token]) expect(server.log()).not.toContain(secret)
  })

  it('gives nothing any more once the tenant is revoked', async () => {
    await project.run('tenants', 'revoke', 'acme')
    expect((await ask('models/')).json).toMatchObject({ status: 401, code: 'ACCESS_REQUIRED' })
  })
})
