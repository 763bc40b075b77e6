import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createServeMultiplexedModelId } from '../../runtime/auth/synapse-token.ts'
import { runCommand } from '../support/command.ts'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import {
  call,
  makeProject,
  type Reply,
  startServer,
  type TestProject,
  type TestServer,
} from '../support/server.ts'

/** A function that logs what it can see of its request, as people do. */
const talkative = `
import { defineFunction } from 'isoplex'
export default defineFunction({
  access: 'public',
  handler({ request, log, principal }) {
    log.info('A request', { url: request.url, headers: [...request.headers], principal })
    throw new Error('failed at ' + request.url + ' for ' + JSON.stringify([...request.headers]))
  },
})
`

/** Every file below a folder. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
}

describe('two servers that log everything', () => {
  let source: TestProject
  let fed: TestProject
  let feeding: TestServer
  let server: TestServer
  /** By name: what must be seen nowhere. */
  const secrets = new Map<string, string>()
  const replies: Reply[] = []
  let processes = ''
  let metrics = ''

  beforeAll(async () => {
    source = await makeProject({
      'functions/add.ts': adding,
      'functions/_models/34/model.onnx': addConstantModel(34),
    })
    await source.run('tenants', 'add', 'acme')
    for (const right of ['use', 'publish', 'admin']) {
      const made = await source.run('access', 'add', '--tenant', 'acme', '--right', right)
      secrets.set(`access token (${right})`, made.stdout.trim())
    }
    fed = await makeProject({ 'functions/add.ts': adding, 'functions/talk.ts': talkative })
    const debug = ['--replicas', '1', '--log-level', 'debug']
    feeding = await startServer(source, 'serve', debug)
    const backendUrl = `${new URL(feeding.url).origin}/-/registry`
    server = await startServer(
      fed,
      'serve',
      [...debug, '--backend', 'synapse', '--backend-url', backendUrl],
      {
        SYNAPSE_ACCESS_TOKEN: String(secrets.get('access token (publish)')),
      },
    )
    await makeTokens(backendUrl)
    await askEverything()
    const admin = { headers: { authorization: `Bearer ${secrets.get('access token (admin)')}` } }
    metrics = (await call(`${origin(feeding)}/metrics`, admin)).text
    // Its registry is another: the access of that one counts for nothing here.
    const local = (await fed.run('access', 'add', '--right', 'admin')).stdout.trim()
    secrets.set('access token (local)', local)
    const bearing = { headers: { authorization: `Bearer ${local}` } }
    metrics += (await call(`${origin(server)}/metrics`, bearing)).text
    processes = await new Response(Bun.spawn(['ps', '-eo', 'args='], { stdout: 'pipe' }).stdout).text()
    await server.end()
    await feeding.end()
    for (const project of [source, fed]) {
      const key = await readFile(join(project.directory, '.isoplex/key'), 'utf8')
      for (const [index, line] of key.trim().split('\n').entries()) {
        secrets.set(`key ${index} of ${project === fed ? 'fed' : 'source'}`, String(line.split(' ')[0]))
      }
    }
  }, 60_000)
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    await feeding?.[Symbol.asyncDispose]()
    await fed?.[Symbol.asyncDispose]()
    await source?.[Symbol.asyncDispose]()
  })

  const origin = ({ url }: TestServer): string => new URL(url).origin

  /** One token of each form, and those that are wrong in some way. */
  async function makeTokens(backendUrl: string): Promise<void> {
    const access = String(secrets.get('access token (use)'))
    const synapse = await createServeMultiplexedModelId({ modelId: 34, token: access, backendUrl })
    secrets.set('Synapse token', synapse)
    secrets.set(
      'Synapse token of a stranger',
      await createServeMultiplexedModelId({ modelId: 34, token: 'a-strangers-access-token', backendUrl }),
    )
    secrets.set('access token of a stranger', 'a-strangers-access-token')
    secrets.set('signed token', await server.token('34', 'acme'))
    secrets.set('expired token', await server.token('34', 'other'))
    const encrypted = await runCommand(
      { directory: fed.directory, environment: { SYNAPSE_ACCESS_TOKEN: access } },
      ...['token', '--model', '34', '--encrypt'],
    )
    secrets.set('encrypted token', encrypted.stdout.trim())
    secrets.set('altered token', `${synapse.slice(0, -4)}AAAA`)
    await fed.run('keys', 'rotate')
  }

  /** Uses every secret as it is meant, and in every way in which people send them by mistake. */
  async function askEverything(): Promise<void> {
    const origin = new URL(feeding.url).origin
    for (const secret of [...secrets.values()]) {
      for (const headers of [
        { serve_multiplexed_model_id: secret },
        { authorization: `Bearer ${secret}` },
        { authorization: `Token ${secret}` },
        { 'synapse-access-token': `Token ${secret}` },
      ]) {
        replies.push(await call(`${server.url}/add`, { json: { x: 1 }, headers }))
        for (const path of ['/talk?from=a-page', '/-/models', '/nowhere']) {
          replies.push(await call(`${server.url}${path}`, { headers }))
        }
        replies.push(await call(`${origin}/-/registry/models/34/`, { headers }))
        replies.push(await call(`${origin}/-/access`, { headers, json: { label: 'x', rights: 'use' } }))
        replies.push(await call(`${origin}/-/registry/models/`, { headers, json: { name: secret } }))
      }
      replies.push(await call(`${server.url}/add`, { json: { x: secret } }))
    }
    // The links of the registry are grants, and the accesses that were made now are told once.
    for (const { json } of replies.slice()) {
      if (typeof json?.file === 'string')
        secrets.set(`grant ${secrets.size}`, String(new URL(json.file).searchParams.get('grant')))
      if (typeof json?.token === 'string') secrets.set(`access token ${secrets.size}`, json.token)
    }
    const [grant] = [...secrets].filter(([name]) => name.startsWith('grant')).map(([, text]) => text)
    const altered = String(grant).replace(/.$/, (letter) => (letter === 'A' ? 'B' : 'A'))
    replies.push(await call(`${origin}/-/registry/artifacts/${'0'.repeat(64)}?grant=${grant}`))
    replies.push(await call(`${origin}/-/registry/artifacts/${'0'.repeat(64)}?grant=${altered}`))
  }

  it('have answered well and badly', () => {
    const statuses = new Set(replies.map(({ status }) => status))
    for (const status of [200, 201, 401, 403, 404, 422, 500]) expect(statuses).toContain(status)
    expect(secrets.size).toBeGreaterThan(12)
    for (const [name, secret] of secrets) expect(secret.length, name).toBeGreaterThan(20)
  })

  it('have put no secret into their logs', () => {
    expect(server.log()).toContain('A request')
    for (const log of [server.log(), feeding.log()]) {
      expect([...secrets].filter(([, secret]) => log.includes(secret)).map(([name]) => name)).toEqual([])
    }
  })

  it('have put no secret into an error, nor into another header than the one that asks for it', () => {
    const shown = replies
      .filter(({ status }) => status >= 400)
      .flatMap(({ text, headers }) => [text, JSON.stringify([...headers])])
      .join('\n')
    expect([...secrets].filter(([, secret]) => shown.includes(secret)).map(([name]) => name)).toEqual([])
  })

  it('have put no secret into the name of a file, nor into a file but for the key', async () => {
    for (const { directory } of [source, fed]) {
      for (const path of await filesBelow(join(directory, '.isoplex'))) {
        const content = path.endsWith('.isoplex/key') ? '' : await readFile(path, 'latin1')
        const found = [...secrets].filter(([, secret]) => path.includes(secret) || content.includes(secret))
        expect(found.map(([name]) => `${name} in ${path}`)).toEqual([])
      }
    }
  })

  it('have put no secret into their metrics, nor the path of an artifact', () => {
    expect(metrics).toContain('isoplex_model_load_total{function="add"')
    expect([...secrets].filter(([, secret]) => metrics.includes(secret)).map(([name]) => name)).toEqual([])
    for (const { directory } of [source, fed]) expect(metrics).not.toContain(directory)
    expect(metrics).not.toMatch(/eyJ|isoplexat_|[0-9a-f]{32}/)
  })

  it('have shown no secret to whoever lists the processes', () => {
    expect(processes).toContain('--backend-url')
    expect([...secrets].filter(([, secret]) => processes.includes(secret)).map(([name]) => name)).toEqual([])
  })
})
