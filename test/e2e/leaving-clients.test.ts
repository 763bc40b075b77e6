import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeProject, startServer, type TestProject, type TestServer, until } from '../support/server.ts'

/** It takes one request at a time, writes down what becomes of each, and answers one that waits when told to. */
const waiting = `import { appendFileSync, existsSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'

const note = (line) => appendFileSync('notes', line + '\\n')
export default defineFunction({
  access: 'public',
  input: Type.Object({ name: Type.String() }),
  maxOngoingRequests: 1,
  async handler({ input: { name }, signal }) {
    note('began ' + name)
    while (!existsSync('go ' + name) && !signal.aborted) await Bun.sleep(5)
    note((signal.aborted ? 'left ' : 'ended ') + name)
    return { name }
  },
})
`

let project: TestProject
let server: TestServer
beforeAll(async () => {
  project = await makeProject({ 'functions/waiting.ts': waiting })
  server = await startServer(project, 'serve', ['--replicas', '1'])
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

const ask = (name: string, signal?: AbortSignal): Promise<Response> =>
  fetch(`${server.url}/waiting`, {
    method: 'POST',
    body: JSON.stringify({ name }),
    headers: { 'content-type': 'application/json' },
    ...(signal ? { signal } : {}),
  })
const notes = (): Promise<string> => readFile(join(project.directory, 'notes'), 'utf8').catch(() => '')
/** What was sent before it has reached the gateway: each of these requests takes it a turn of its loop at least. */
const turns = async (): Promise<void> => {
  for (let count = 0; count < 50; count += 1) await server.call('/healthz')
}
const letGo = (name: string): Promise<void> => writeFile(join(project.directory, `go ${name}`), '')

it('a client that leaves while its request runs has the function told, and the next request its turn', async () => {
  const client = new AbortController()
  const left = ask('a', client.signal).catch(() => 'gone')
  await until(async () => (await notes()).includes('began a'))
  client.abort()
  expect(await left).toBe('gone')
  await until(async () => (await notes()).includes('left a'))
  await letGo('b')
  expect(await (await ask('b')).json()).toEqual({ name: 'b' })
})

it('a client that leaves while its request waits has it never run', async () => {
  await rm(join(project.directory, 'notes'))
  const first = ask('c')
  await until(async () => (await notes()).includes('began c'))
  const client = new AbortController()
  const left = ask('d', client.signal).catch(() => 'gone')
  const last = ask('e')
  await turns()
  client.abort()
  expect(await left).toBe('gone')
  await turns()
  await Promise.all(['c', 'd', 'e'].map(letGo))
  expect((await first).status).toBe(200)
  expect((await last).status).toBe(200)
  expect((await notes()).trim().split('\n')).toEqual(['began c', 'ended c', 'began e', 'ended e'])
})

it('every reply says where its time went, also one that refuses', async () => {
  const timing = /^queue;dur=[\d.]+, infer;dur=[\d.]+(?:, (?:model|version|provider);desc="[\w.-]+")*$/
  await letGo('f')
  const [good, bad] = await Promise.all([ask('f'), server.call('/waiting', { json: { name: 1 } })])
  expect(good.headers.get('server-timing')).toMatch(timing)
  expect(bad.status).toBe(422)
  expect(bad.headers.get('server-timing')).toMatch(timing)
})
