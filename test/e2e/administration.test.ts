import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startOnTerminal } from '../support/command.ts'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'

let project: TestProject
let server: TestServer
let admin: string

beforeAll(async () => {
  project = await makeProject({ 'functions/add.ts': adding, 'one.onnx': addConstantModel(1) })
  server = await startServer(project, 'dev', ['--replicas', '1'])
  admin = (await project.run('access', 'add', '--right', 'admin')).stdout.trim()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

const bearing = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

describe('the commands beside a running server', () => {
  it('go through its control socket, in the name of who is at the machine', async () => {
    const pointers = await readdir(join(project.directory, '.isoplex/control'))
    expect(pointers).toEqual([`${server.pid}.json`])
    expect((await project.run('models', 'add', 'one.onnx', '--id', 'mine')).stdout).toMatch(/^Added mine@1 /)
    expect((await project.run('models', 'alias', 'mine', 'prod', '1')).code).toBe(0)
    const { json } = await server.call('/-/models', bearing(admin))
    expect(json.models).toMatchObject([{ id: 'mine', aliases: [{ alias: 'prod' }] }])
    expect((await project.run('audit', '--limit', '1')).stdout).toMatch(/ local +alias\.set +mine@prod /)
    expect((await project.run('models', 'verify')).stdout).toBe('Every artifact is as it was put here.\n')
    expect((await project.run('models', 'prune')).stdout).toMatch(/^Removed 0 artifacts/)
    const missing = await project.run('models', 'show', 'nobody')
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^isoplex: There is no model "nobody"/),
    })
  })

  it('draw a bar while the server adds a model', async () => {
    await using command = startOnTerminal(project, 'models', 'add', 'one.onnx', '--id', 'drawn')
    expect(await command.ended).toBe(0)
    expect(command.stdout()).toMatch(/drawn .*%/)
    expect(command.stdout().trimEnd()).toMatch(/Added drawn@1 \(.*\)$/)
  })

  it('go on without it when it has died, and with the next one', async () => {
    await using other = await makeProject({ 'functions/add.ts': adding })
    const first = await startServer(other, 'dev', ['--replicas', '1'])
    await first.end('SIGKILL')
    expect((await other.run('tenants', 'add', 'acme')).code).toBe(0)
    await using second = await startServer(other, 'dev', ['--replicas', '1'])
    expect((await other.run('tenants', 'list')).stdout).toMatch(/^acme /m)
    expect(await readdir(join(other.directory, '.isoplex/control'))).toEqual([`${second.pid}.json`])
    await second.end()
    expect(await readdir(join(other.directory, '.isoplex/control'))).toEqual([])
  })
})

describe('the administration over HTTP', () => {
  it('asks for its own header in dev as well, where a page could send all else', async () => {
    expect((await server.call('/-/models')).json).toMatchObject({ code: 'ACCESS_REQUIRED' })
    expect((await server.call('/-/tenants', { json: { name: 'evil' } })).status).toBe(401)
    const page = { method: 'POST', body: '{"name":"evil"}', headers: { origin: 'http://evil.example' } }
    expect((await server.call('/-/tenants', page)).json).toMatchObject({ code: 'ORIGIN_REFUSED' })
    const token = await server.token('mine', 'acme')
    expect((await server.call('/-/models', bearing(token))).status).toBe(401)
    expect((await server.call('/-/models', { token })).status).toBe(401)
  })

  it('makes accesses, knows them at once and forgets them at once', async () => {
    const { json } = await server.call('/-/access', { json: { rights: 'admin' }, ...bearing(admin) })
    expect((await server.call('/-/audit', bearing(json.token))).json.entries[0]).toMatchObject({
      actor: expect.stringMatching(/^access:\d+$/),
      action: 'access.add',
    })
    await project.run('access', 'revoke', String(json.id))
    expect((await server.call('/-/audit', bearing(json.token))).status).toBe(401)
  })

  it('never says a token again, in no log and no file', async () => {
    const { json } = await server.call('/-/access', { json: { label: 'kept' }, ...bearing(admin) })
    await server.call('/-/models', bearing(`${json.token}x`))
    expect(server.log()).not.toContain(json.token)
    const names = await readdir(join(project.directory, '.isoplex'), { recursive: true, withFileTypes: true })
    for (const entry of names.filter((name) => name.isFile())) {
      const bytes = await readFile(join(entry.parentPath, entry.name))
      expect(bytes.includes(json.token)).toBe(false)
    }
  })
})
