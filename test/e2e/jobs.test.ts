import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readControlPointers } from '../../runtime/config/control-pointer.ts'
import type { JobDocument } from '../../runtime/job/document.ts'
import type { JobEvent } from '../../runtime/job/event.ts'
import {
  makeProject,
  type Reply,
  startServer,
  type TestProject,
  type TestServer,
  until,
} from '../support/server.ts'
import { openFile, workFile } from './http-jobs-project.ts'
import { readEvents } from './job-events.ts'

let project: TestProject
let server: TestServer

beforeAll(async () => {
  const files = { 'functions/work.ts': workFile, 'functions/open.ts': openFile }
  project = await makeProject(files, { maxConcurrentJobs: 2, maxQueuedJobs: 3, logLevel: 'warn' })
  server = await startServer(project, 'serve')
}, 60_000)

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await project?.[Symbol.asyncDispose]()
})

function submit(json: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
  return server.call('/open', { json, headers })
}

async function stateOf(id: string): Promise<JobDocument> {
  return (await server.call(`/-/jobs/${id}`)).json
}

async function cancel(id: string): Promise<Reply> {
  return await server.call(`/-/jobs/${id}`, { method: 'DELETE' })
}

const ended = { prefer: 'wait=60' }

describe('a job over HTTP', () => {
  it('is submitted, waited for, and gives its value', async () => {
    const reply = await submit({ ticks: 3 }, ended)
    expect(reply.status).toBe(200)
    expect(reply.json).toMatchObject({
      state: 'succeeded',
      progress: { overall: 100 },
      principal: 'anonymous',
    })
    const result = await server.call(reply.json.links.result)
    expect(result.headers.get('content-type')).toBe('application/json')
    expect(result.json).toEqual({ ticks: 3 })
  })

  it('is answered at once where nobody waits', async () => {
    const { status, headers, json } = await submit({ ticks: 0 })
    expect([status, headers.get('location')]).toEqual([202, `/-/jobs/${json.id}`])
    const waited = await server.call(`/-/jobs/${json.id}`, { headers: ended })
    expect(waited.json.state).toBe('succeeded')
  })

  it('gives many values as lines', async () => {
    const { json } = await submit({ ticks: 0, lines: 50_000 }, ended)
    expect(json.result).toMatchObject({ form: 'lines', count: 50_000 })
    const result = await server.call(json.links.result)
    expect(result.headers.get('content-type')).toBe('application/x-ndjson')
    const lines = result.text.trimEnd().split('\n')
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([50_000, '{"line":1}', '{"line":50000}'])
    const part = await server.call(json.links.result, { headers: { range: 'bytes=0-10' } })
    expect([part.status, part.text]).toEqual([206, '{"line":1}\n'])
  })

  it('leaves files that no browser takes for pages', async () => {
    const { json } = await submit({ ticks: 0, fileBytes: 1_000_000 }, ended)
    const [large, page] = json.files.toSorted((a: { name: string }, b: { name: string }) =>
      a.name.localeCompare(b.name),
    )
    expect((await server.call(large.url)).text).toBe('\u0007'.repeat(1_000_000))
    const { headers } = await server.call(page.url)
    expect(headers.get('content-disposition')).toContain('attachment')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toContain('sandbox')
  })

  it('shows what it said, and hides what it threw', async () => {
    const { json } = await submit({ ticks: 2, fail: true }, ended)
    expect(json).toMatchObject({ state: 'failed', error: { code: 'INTERNAL' } })
    expect(JSON.stringify(json)).not.toContain('secret')
    const { text } = await server.call(json.links.logs)
    expect(text).toMatch(/info: The work has begun\.\n.*tick \{"tick":1\}\n.*tick \{"tick":2\}\n/)
    const result = await server.call(json.links.result)
    expect([result.status, result.json.code, result.json.state]).toEqual([409, 'JOB_ENDED', 'failed'])
  })

  it('is cancelled within a second, and a second time to no effect', async () => {
    const { json } = await submit({ ticks: 0, hold: true })
    await until(async () => (await stateOf(json.id)).state === 'running')
    expect((await server.call(json.links.result)).json.code).toBe('JOB_UNFINISHED')
    expect((await cancel(json.id)).status).toBe(202)
    const { json: job } = await server.call(json.links.self, { headers: ended })
    expect(job).toMatchObject({ state: 'cancelled', cancelRequested: true })
    expect((await cancel(json.id)).status).toBe(200)
  })
})

describe('the events of a job', () => {
  it('come to their end over connections that break, each once', async () => {
    const { json } = await submit({ ticks: 200, everyMs: 5 })
    const seen: JobEvent[] = []
    let connections = 0
    for (let isOver = false; !isOver; connections += 1) {
      const leaving = new AbortController()
      const last = String(seen.at(-1)?.seq ?? 0)
      const events = readEvents(server.url + json.links.events, last, leaving.signal)
      let some = 0
      for await (const event of events) {
        if (event.kind === 'end') isOver = true
        else seen.push(event)
        some += 1
        if (some === 50 && !isOver) break
      }
      leaving.abort()
    }
    expect(connections).toBeGreaterThan(3)
    expect(seen.every(({ seq }, index) => seq > (seen[index - 1]?.seq ?? 0))).toBe(true)
    expect(
      seen.filter(({ kind }) => kind === 'log').map(({ data }) => (data.data as { tick: number }).tick),
    ).toEqual(Array.from({ length: 200 }, (_, index) => index + 1))
  })

  it('come to 200 who watch alike', { timeout: 60_000 }, async () => {
    const { json } = await submit({ ticks: 20, everyMs: 20 })
    const watch = async (): Promise<number[]> => {
      const seqs: number[] = []
      for await (const event of readEvents(server.url + json.links.events, '0')) {
        // Who is a little later may see newer progress at once.
        if (event.kind !== 'end' && event.kind !== 'progress') seqs.push(event.seq)
      }
      return seqs
    }
    const all = await Promise.all(Array.from({ length: 200 }, watch))
    expect(all[0]?.length).toBeGreaterThan(20)
    expect(new Set(all.map((seqs) => seqs.join())).size).toBe(1)
  })
})

describe('who sees a job', () => {
  it('is whoever submitted it, and the operator', async () => {
    const [own, other] = [await server.token('a', 'one'), await server.token('a', 'two')]
    const { json } = await server.call('/work', { json: { ticks: 0 }, token: own, headers: ended })
    expect(json.state).toBe('succeeded')
    const paths: string[] = Object.values(json.links)
    for (const path of paths) {
      expect((await server.call(path, { token: own })).status).toBe(200)
      expect((await server.call(path, { token: other })).status).toBe(404)
      expect((await server.call(path)).status).toBe(404)
    }
    expect((await server.call(json.links.self, { method: 'DELETE', token: other })).status).toBe(404)
    const list = async (token: string) => (await server.call('/-/jobs?function=work', { token })).json.jobs
    expect((await list(own)).map(({ id }: JobDocument) => id)).toContain(json.id)
    expect(await list(other)).toEqual([])
  })

  it('is nobody who only asks which there are', async () => {
    expect((await server.call('/-/jobs')).json.code).toBe('TOKEN_MISSING')
    expect((await server.call('/-/jobs', { token: 'nonsense' })).json.code).toBe('TOKEN_INVALID')
    const headers = { authorization: 'Bearer isoplexat_nonsense' }
    expect((await server.call('/-/jobs', { headers })).json.code).toBe('ACCESS_REQUIRED')
  })
})

describe('a submission', () => {
  it('is one job for one key', async () => {
    const key = { 'idempotency-key': crypto.randomUUID() }
    const [first, ...others] = await Promise.all(
      Array.from({ length: 10 }, () => submit({ ticks: 1 }, { ...key, ...ended })),
    )
    expect(new Set([first, ...others].map((reply) => reply?.json.id)).size).toBe(1)
    const replayed = [first, ...others].filter(
      (reply) => reply?.headers.get('idempotency-replayed') === 'true',
    )
    expect(replayed).toHaveLength(9)
    expect((await submit({ ticks: 2 }, key)).json.code).toBe('IDEMPOTENCY_MISMATCH')
  })

  it.each<[what: string, body: unknown, headers: Record<string, string>, status: number]>([
    ['parameters of another type', { ticks: 'x' }, {}, 422],
    ['no parameters', {}, {}, 422],
    ['a list', [], {}, 422],
    ['a key with spaces', { ticks: 0 }, { 'idempotency-key': 'a b' }, 400],
    ['a key that is too long', { ticks: 0 }, { 'idempotency-key': 'x'.repeat(256) }, 400],
    ['another media type', { ticks: 0 }, { 'content-type': 'text/csv' }, 415],
  ])('with %s is refused before there is a job', async (_, json, headers, status) => {
    const before = (await newestOf('open')).map(({ id }) => id)
    const reply = await submit(json, headers)
    expect(reply.status).toBe(status)
    expect(reply.headers.get('content-type')).toBe('application/problem+json')
    expect((await newestOf('open')).map(({ id }) => id)).toEqual(before)
  })

  it('without the token that it needs is refused', async () => {
    expect((await server.call('/work', { json: { ticks: 0 } })).status).toBe(401)
  })

  it('into a full queue is told to come again', async () => {
    const replies = await Promise.all(Array.from({ length: 8 }, () => submit({ ticks: 0, hold: true })))
    const taken = replies.filter(({ status }) => status === 202)
    const refused = replies.filter(({ status }) => status !== 202)
    expect(taken.length).toBeLessThanOrEqual(5)
    expect(refused.length).toBeGreaterThan(0)
    for (const { status, headers, json } of refused) {
      expect([status, json.code]).toEqual([503, 'QUEUE_FULL'])
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    }
    await Promise.all(taken.map(({ json }) => cancel(json.id)))
    for (const { json } of taken) {
      expect((await server.call(json.links.self, { headers: ended })).json.state).toBe('cancelled')
    }
  })
})

describe('nonsense', () => {
  it.each<[path: string, headers: Record<string, string>, status: number]>([
    ['/-/jobs/x', {}, 404],
    ['/-/jobs/..%2f..%2fetc', {}, 404],
    ['/-/jobs/%ff', {}, 400],
    ['/-/jobs/job_0123456789ABCDEFGHJKMNPQRS/nothing', {}, 404],
    ['/-/jobs/ID/events?after=-1', {}, 422],
    ['/-/jobs/ID/events', { 'last-event-id': 'x' }, 422],
    ['/-/jobs/ID/logs?after=1e9', {}, 422],
    ['/-/jobs/ID/result', { range: 'bytes=999999-' }, 416],
    ['/-/jobs/ID/result', { range: 'bytes=x' }, 200],
    ['/-/jobs/ID/files/none', {}, 409],
    ['/-/jobs/ID/files/..%2f..%2fjobs.sqlite', {}, 404],
    ['/-/jobs/ID/files/%00', {}, 404],
    ['/-/jobs/ID', { prefer: 'wait=-1' }, 200],
    ['/-/jobs/ID', { prefer: '"'.repeat(5_000) }, 200],
  ])('at %s with %j gets %d', async (path, headers, status) => {
    const { json } = await submit({ ticks: 0 }, ended)
    expect((await server.call(path.replace('ID', json.id), { headers })).status).toBe(status)
  })

  it.each(['events', 'logs', 'result'])('at the head of its %s there is none', async (part) => {
    const { json } = await submit({ ticks: 0, lines: 50_000 }, ended)
    const reply = await server.call(json.links[part], { method: 'HEAD' })
    expect([reply.status, reply.text]).toEqual([200, ''])
    expect(reply.headers.get('content-length')).toBe(null)
  })

  it('by another method is refused', async () => {
    const reply = await server.call('/-/jobs', { method: 'POST', json: {} })
    expect([reply.status, reply.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS'])
  })
})

it('a server that stops keeps nobody waiting', { timeout: 60_000 }, async () => {
  await using own = await makeProject({ 'functions/open.ts': openFile })
  await using stopped = await startServer(own)
  const { json } = await stopped.call('/open', { json: { ticks: 0, hold: true } })
  const watching = Promise.withResolvers<void>()
  const watch = async (): Promise<string[]> => {
    const kinds: string[] = []
    for await (const { kind } of readEvents(stopped.url + json.links.events, '0')) {
      kinds.push(kind)
      watching.resolve()
    }
    return kinds
  }
  const watched = watch()
  const waited = stopped.call(json.links.self, { headers: ended })
  const submitted = stopped.call('/open', { json: { ticks: 0 }, headers: ended })
  await watching.promise
  await until(async () => (await stopped.call('/-/jobs')).json.jobs.length === 2)
  expect(await stopped.end()).toBe(0)
  expect((await waited).json.state).toMatch(/queued|running/)
  expect([(await submitted).status, (await submitted).json.state]).toEqual([202, 'queued'])
  expect(await watched).not.toContain('end')
})

/** The newest jobs, as the operator sees them over the control socket. */
async function newestOf(name: string): Promise<readonly JobDocument[]> {
  const [pointer] = await readControlPointers(join(project.directory, '.isoplex'))
  const unix = pointer?.socketPath ?? ''
  const reply = await fetch(`http://localhost/-/jobs?function=${name}`, { unix })
  const { jobs } = (await reply.json()) as { jobs: readonly JobDocument[] }
  return jobs
}
