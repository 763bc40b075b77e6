import { describe, expect, it } from 'vitest'
import { IsoplexError } from '../../../runtime/error/error.ts'
import { defineAction } from '../../../runtime/index.ts'
import { createSubmission } from '../../../runtime/server/job/submission.ts'
import { answerWith, deploymentOf, manifestOf, surround } from '../served.ts'
import { type ServedJobs, type ServedJobsOptions, serveJobs } from './served-jobs.ts'

const path = '/v1/evaluate'
const json = { 'content-type': 'application/json' }

function post(
  served: ServedJobs,
  headers: Readonly<Record<string, string>> = {},
  body = '{"modelId":"digits"}',
): Promise<Response> {
  return served.call(path, { method: 'POST', body, headers: { ...json, ...headers } })
}

describe('a submission', () => {
  it('makes a job that waits, and says where', async () => {
    await using served = await serveJobs()
    const reply = await post(served, { 'x-request-id': 'id-1', accept: 'text/event-stream' })
    expect(reply.status).toBe(202)
    const job = await reply.json()
    expect(job).toMatchObject({ function: 'evaluate', state: 'queued', principal: 'anonymous' })
    expect(reply.headers.get('location')).toBe(`/-/jobs/${job.id}`)
    expect(reply.headers.get('x-request-id')).toBe('id-1')
    expect(await served.service.get(job.id, 'anonymous')).toMatchObject({ state: 'queued' })
    expect(served.held.size).toBe(0)
    expect(served.exchange.budget.usedBytes).toBe(0)
  })

  it('keeps what the runner was asked with, and nothing of the connection', async () => {
    await using served = await serveJobs()
    await post(served, { accept: 'text/html', authorization: 'Basic secret' })
    const taken = await served.store.take({ worker: 'test', functions: ['evaluate'], leaseMs: 60_000 })
    const [work] = served.works
    expect(taken?.head).toEqual(work?.head)
    expect(taken?.head).toMatchObject({
      url: path,
      accept: null,
      headers: [],
      contentType: json['content-type'],
    })
    expect(new TextDecoder().decode(work?.body)).toBe('{"modelId":"digits"}')
    expect(taken?.credential).toBe(null)
  })

  it('is its principal’s, whose credential is kept sealed', async () => {
    await using served = await serveJobs()
    const reply = await post(served, { serve_multiplexed_model_id: 'a' })
    expect((await reply.json()).principal).toBe('tenant:a')
    const taken = await served.store.take({ worker: 'test', functions: ['evaluate'], leaseMs: 60_000 })
    expect(taken?.credential?.length).toBeGreaterThan(0)
  })

  it('is refused before there is a job where the runner refuses its parameters', async () => {
    const refusal = new IsoplexError('INPUT_INVALID', 'No.', { details: { issues: [] } })
    const around = surround(() => Promise.reject(refusal))
    const reply = await submitTo(around)
    expect(reply.status).toBe(422)
    expect(await reply.json()).toMatchObject({ code: 'INPUT_INVALID' })
  })

  it('gets what the runner answers otherwise, as a function’s caller would', async () => {
    const reply = await submitTo(surround(answerWith('busy', 503, [['retry-after', '5']])))
    expect([reply.status, reply.headers.get('retry-after'), await reply.text()]).toEqual([503, '5', 'busy'])
  })

  it('is a defect that is hidden and logged where the runner answers nonsense', async () => {
    const around = surround(answerWith('nonsense'))
    const reply = await submitTo(around)
    expect(reply.status).toBe(500)
    expect(around.log).toMatchObject([{ level: 'error', fields: { function: 'a' } }])
    expect(around.exchange.budget.usedBytes).toBe(0)
    expect(around.held.size).toBe(0)
  })

  it.each<[what: string, options: ServedJobsOptions, headers: Record<string, string>, code: string]>([
    ['without a token', { access: 'token', trustsLoopback: false }, {}, 'TOKEN_MISSING'],
    ['for a model that is not the caller’s', { models: ['secret'] }, {}, 'MODEL_FORBIDDEN'],
    ['with a key of spaces', {}, { 'idempotency-key': 'a b' }, 'REQUEST_MALFORMED'],
    ['as plain text', {}, { 'content-type': 'text/plain' }, 'MEDIA_TYPE_UNSUPPORTED'],
    ['that is too large', {}, { 'content-length': '100001' }, 'BODY_TOO_LARGE'],
    ['into a full queue', { limits: { maxQueuedJobs: 0 } }, {}, 'QUEUE_FULL'],
    ['over its share', { limits: { maxJobsPerPrincipal: 0 } }, {}, 'SHARE_EXCEEDED'],
  ])('%s is refused, and leaves no job', async (_, options, headers, code) => {
    await using served = await serveJobs(options)
    const reply = await post(served, headers)
    expect(await reply.json()).toMatchObject({ code })
    expect(reply.headers.has('retry-after')).toBe(code === 'QUEUE_FULL' || code === 'SHARE_EXCEEDED')
    const all = { viewer: null, state: null, function: null, before: null, limit: 10 }
    expect(await served.service.list(all)).toEqual([])
  })
})

/** Submits to an action without parameters, whose runner answers so. */
function submitTo(around: ReturnType<typeof surround>): Promise<Response> {
  const manifest = manifestOf('a.ts', defineAction({ access: 'public', execute: () => 1 }))
  const nobody = (): never => {
    throw new Error('no job is to be made')
  }
  const submission = createSubmission({ manifest, deployment: deploymentOf(manifest) }, around.exchange, {
    jobs: { submit: nobody, wait: nobody },
    stopping: new AbortController().signal,
  })
  return submission(new Request('http://localhost/a', { method: 'POST', body: '{"left":"out"}' }))
}

it('bytes that no schema has seen are not kept', async () => {
  const around = surround(answerWith('nonsense'))
  await submitTo(around)
  expect(around.works[0]?.body.length).toBe(0)
})

describe('an idempotency key', () => {
  it('stands for one job, however often it is sent', async () => {
    await using served = await serveJobs()
    const replies = [
      await post(served, { 'idempotency-key': 'k' }),
      await post(served, { 'idempotency-key': '"k"' }),
    ]
    expect(replies.map(({ status }) => status)).toEqual([202, 202])
    expect(replies.map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, 'true'])
    const [first, second] = await Promise.all(replies.map((reply) => reply.json()))
    expect(second.id).toBe(first.id)
    await served.succeed(await served.take(), '1')
    const third = await post(served, { 'idempotency-key': 'k' })
    expect([third.status, (await third.json()).state]).toEqual([200, 'succeeded'])
  })

  it('is no one else’s, and no other job’s', async () => {
    await using served = await serveJobs()
    const key = { 'idempotency-key': 'k' }
    const own = await (await post(served, key)).json()
    const other = await (await post(served, { ...key, serve_multiplexed_model_id: 'b' })).json()
    expect(other.id).not.toBe(own.id)
    const reply = await post(served, key, '{"modelId":"other"}')
    expect([reply.status, (await reply.json()).code]).toEqual([422, 'IDEMPOTENCY_MISMATCH'])
  })
})

describe('whoever prefers to wait', () => {
  it('gets the job that has ended', async () => {
    await using served = await serveJobs()
    const waiting = post(served, { prefer: 'respond-async, wait=60' })
    while (served.works.length === 0) await Bun.sleep(1)
    const lease = await until(() => served.take().catch(() => null))
    await served.succeed(lease, '1')
    const reply = await waiting
    expect(reply.status).toBe(200)
    expect(reply.headers.get('preference-applied')).toBe('wait=60')
    expect(await reply.json()).toMatchObject({ state: 'succeeded', progress: { overall: 100 } })
    expect(served.held.size).toBe(0)
  })

  it('for no time gets it as it is', async () => {
    await using served = await serveJobs()
    const reply = await post(served, { prefer: 'wait=0' })
    expect([reply.status, reply.headers.get('preference-applied')]).toEqual([202, 'wait=0'])
  })

  it('waits no longer than the server, and holds no bytes meanwhile', async () => {
    await using served = await serveJobs()
    const waiting = post(served, { prefer: 'wait=60' })
    await until(
      async () => (await served.store.take({ worker: 't', functions: ['evaluate'], leaseMs: 9_000 })) ?? null,
    )
    await until(async () => (served.exchange.budget.usedBytes === 0 ? true : null))
    served.stopping.abort()
    expect((await waiting).status).toBe(202)
  })
})

/** What a question gives once it gives something. */
async function until<Answer>(ask: () => Promise<Answer | null>): Promise<Answer> {
  for (;;) {
    const answer = await ask()
    if (answer !== null) return answer
    await Bun.sleep(1)
  }
}
