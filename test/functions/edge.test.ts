import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeExampleProject, startServer, type TestProject, type TestServer } from '../support/server.ts'

describe('the edge functions of the examples', () => {
  let project: TestProject
  let server: TestServer
  beforeAll(async () => {
    project = await makeExampleProject()
    server = await startServer(project, 'serve')
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await project[Symbol.asyncDispose]()
  })

  it('greets whom the path names, decoded', async () => {
    expect((await server.call('/hello/Ada%20L%C3%B6velace')).json).toEqual({
      message: 'Hello, Ada Lövelace!',
    })
    expect((await server.call('/hello/Ada?loud=true')).json).toEqual({ message: 'HELLO, ADA!' })
  })

  it('refuses a name that is too long, and a flag that is none', async () => {
    const long = await server.call(`/hello/${'a'.repeat(65)}`)
    expect([long.status, long.json.issues[0].path]).toEqual([422, '/params/name'])
    const flag = await server.call('/hello/Ada?loud=perhaps')
    expect([flag.status, flag.json.issues[0].path]).toEqual([422, '/query/loud'])
  })

  it('streams lines of JSON, or server-sent events where they are asked for', async () => {
    const lines = await server.call('/stream?to=3')
    expect(lines.headers.get('content-type')).toBe('application/x-ndjson')
    expect(lines.text).toBe('{"count":1}\n{"count":2}\n{"count":3}\n')
    const events = await server.call('/stream?to=2', { headers: { accept: 'text/event-stream' } })
    expect(events.headers.get('content-type')).toBe('text/event-stream')
    expect(events.text).toBe('data: {"count":1}\n\ndata: {"count":2}\n\n')
  })

  it('sends a long stream whole to a client that reads slowly', async () => {
    const response = await fetch(`${server.url}/stream?to=200000`)
    const reader = response.body?.getReader()
    let received = 0
    let chunks = 0
    for (;;) {
      const next = await reader?.read()
      if (!next || next.done) break
      received += next.value.length
      chunks += 1
      if (chunks % 20 === 0) await Bun.sleep(1)
    }
    const expected = Array.from({ length: 200_000 }, (_, index) => `{"count":${index + 1}}\n`.length)
    expect(received).toBe(expected.reduce((sum, length) => sum + length, 0))
  })
})
