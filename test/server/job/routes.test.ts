import { describe, expect, it } from 'vitest'
import { type ServedJobs, serveJobs } from './served-jobs.ts'

const nobodysId = 'job_0123456789ABCDEFGHJKMNPQRS'
const admin = { authorization: 'Bearer isoplexat_admin' }
const paths = ['', '/events', '/logs', '/result', '/files/a.csv'] as const

async function submitAs(served: ServedJobs, tenant: string): Promise<string> {
  const reply = await served.call('/v1/evaluate', {
    method: 'POST',
    body: '{}',
    headers: { serve_multiplexed_model_id: tenant },
  })
  return (await reply.json()).id
}

describe('the list of jobs', () => {
  it('is those of whoever asks, the newest first, page by page', async () => {
    await using served = await serveJobs()
    const ids = [await served.submit(), await served.submit(), await served.submit()]
    await submitAs(served, 'a')
    const first = await (await served.call('/-/jobs?limit=2&function=evaluate')).json()
    expect(first.jobs.map(({ id }: { id: string }) => id)).toEqual([ids[2], ids[1]])
    expect(first.jobs[0].links.self).toBe(`/-/jobs/${ids[2]}`)
    expect(first.links.next).toBe(`/-/jobs?limit=2&function=evaluate&before=${ids[1]}`)
    const second = await (await served.call(first.links.next)).json()
    expect(second.jobs.map(({ id }: { id: string }) => id)).toEqual([ids[0]])
    expect(second.links.next).toBe(null)
  })

  it('is that of all jobs for the operator', async () => {
    await using served = await serveJobs({ trustsLoopback: false })
    const ids = [await served.submit(), await submitAs(served, 'a')]
    const { jobs } = await (await served.call('/-/jobs', { headers: admin })).json()
    expect(jobs.map(({ id }: { id: string }) => id)).toEqual(ids.toReversed())
  })

  it('is not for whoever sends no token, but on the machine of whoever develops', async () => {
    await using served = await serveJobs({ trustsLoopback: false })
    const reply = await served.call('/-/jobs')
    expect([reply.status, (await reply.json()).code]).toEqual([401, 'TOKEN_MISSING'])
    const id = await served.submit()
    expect((await served.call(`/-/jobs/${id}`)).status).toBe(200)
  })

  it.each(['state=x', 'limit=0', 'before=1', 'function='])('is refused with ?%s', async (query) => {
    await using served = await serveJobs()
    expect((await served.call(`/-/jobs?${query}`)).status).toBe(422)
  })
})

describe('a job', () => {
  it('is not there for anybody else, and looks like one that never was', async () => {
    await using served = await serveJobs()
    const id = await submitAs(served, 'a')
    for (const path of paths) {
      const of = async (job: string) => {
        const reply = await served.call(`/-/jobs/${job}${path}`, {
          headers: { serve_multiplexed_model_id: 'b' },
        })
        const { instance: _, ...problem } = await reply.json()
        return problem
      }
      expect(await of(id)).toMatchObject({ status: 404, code: 'JOB_NOT_FOUND' })
      expect(await of(id)).toEqual(await of(nobodysId))
    }
    const cancelled = await served.call(`/-/jobs/${id}`, { method: 'DELETE' })
    expect(cancelled.status).toBe(404)
    expect(await served.service.get(id, null)).toMatchObject({ state: 'queued' })
  })

  it.each(['x', 'job_', '%00', '..%2f..', 'job_%F0%9F', nobodysId.toLowerCase()])(
    'is not there under the id %s',
    async (id) => {
      await using served = await serveJobs()
      expect([400, 404]).toContain((await served.call(`/-/jobs/${id}`)).status)
    },
  )

  it('is waited for where that is preferred', async () => {
    await using served = await serveJobs()
    const id = await served.submit()
    const waiting = served.call(`/-/jobs/${id}`, { headers: { prefer: 'wait=30' } })
    await served.succeed(await served.take(), '1')
    const reply = await waiting
    expect(reply.headers.get('preference-applied')).toBe('wait=30')
    expect(await reply.json()).toMatchObject({ state: 'succeeded' })
  })

  it('is cancelled, however often that is asked', async () => {
    await using served = await serveJobs()
    const id = await served.submit()
    const lease = await served.take()
    const cancel = () => served.call(`/-/jobs/${id}`, { method: 'DELETE' })
    const running = await cancel()
    expect([running.status, await running.json()]).toMatchObject([202, { cancelRequested: true }])
    const error = { code: 'CANCELLED', message: 'Cancelled.', step: null, rollbackErrors: [] } as const
    await served.store.finish(lease, { state: 'cancelled', error, result: null })
    const ended = await cancel()
    expect([ended.status, await ended.json()]).toMatchObject([200, { state: 'cancelled' }])
  })
})

describe('the events of a job', () => {
  it('come from the first or after one that is known, to the end', async () => {
    await using served = await serveJobs()
    const id = await served.submit()
    await served.succeed(await served.take(), '1')
    const all = await (await served.call(`/-/jobs/${id}/events`)).text()
    const seqs = (text: string) => [...text.matchAll(/^id: (\d+)$/gm)].map(([, seq]) => Number(seq))
    expect(seqs(all)).toEqual(Array.from({ length: seqs(all).length }, (_, index) => index + 1))
    expect(all).toMatch(/event: end\ndata: \{"kind":"end","data":\{.*"state":"succeeded".*\}\}\n\n$/)
    const later = await served.call(`/-/jobs/${id}/events`, { headers: { 'last-event-id': '1' } })
    expect(seqs(await later.text())).toEqual(seqs(all).slice(1))
    const none = await (await served.call(`/-/jobs/${id}/events?after=999`)).text()
    expect([seqs(none), none.includes('event: end')]).toEqual([[], true])
  })

  it('come as lines where those are asked for', async () => {
    await using served = await serveJobs()
    const id = await served.submit()
    await served.succeed(await served.take(), '1')
    const reply = await served.call(`/-/jobs/${id}/events`, { headers: { accept: 'application/x-ndjson' } })
    expect(reply.headers.get('content-type')).toBe('application/x-ndjson')
    const lines = (await reply.text())
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
    expect(lines[0]).toMatchObject({ seq: 1, kind: 'state', data: { state: 'queued' } })
    expect(lines.at(-1)).toMatchObject({ kind: 'end', data: { id, state: 'succeeded' } })
  })

  it('are told of by HEAD without being watched', async () => {
    await using served = await serveJobs()
    const id = await served.submit()
    for (const path of ['/events', '/logs']) {
      const reply = await served.call(`/-/jobs/${id}${path}`, { method: 'HEAD' })
      expect([reply.status, reply.headers.get('transfer-encoding')]).toEqual([200, 'chunked'])
      expect(await reply.text()).toBe('')
    }
  })

  it.each(['x', '-1', '1.5'])('are refused after "%s"', async (after) => {
    await using served = await serveJobs()
    const id = await served.submit()
    expect((await served.call(`/-/jobs/${id}/events?after=${after}`)).status).toBe(422)
    const headers = { 'last-event-id': after }
    expect((await served.call(`/-/jobs/${id}/events`, { headers })).status).toBe(422)
  })
})

describe('what a job leaves', () => {
  it('is not there before it has ended, nor after it has failed', async () => {
    await using served = await serveJobs()
    const id = await served.submit()
    const unfinished = await served.call(`/-/jobs/${id}/result`)
    expect([unfinished.status, (await unfinished.json()).code]).toEqual([409, 'JOB_UNFINISHED'])
    const error = { code: 'STEP_FAILED', message: 'No.', step: 'fetch', rollbackErrors: [] } as const
    await served.store.finish(await served.take(), { state: 'failed', error, result: null })
    const ended = await served.call(`/-/jobs/${id}/result`)
    expect(ended.status).toBe(409)
    expect(await ended.json()).toMatchObject({ code: 'JOB_ENDED', state: 'failed' })
  })

  it('is its result, as one value or as lines', async () => {
    await using served = await serveJobs()
    const ids = [await served.submit(), await served.submit()]
    await served.succeed(await served.take(), '{"a":1}')
    await served.succeed(await served.take(), '1\n2\n', 'lines')
    const [value, lines] = await Promise.all(ids.map((id) => served.call(`/-/jobs/${id}/result`)))
    expect([value?.headers.get('content-type'), await value?.json()]).toEqual(['application/json', { a: 1 }])
    expect([lines?.headers.get('content-type'), await lines?.text()]).toEqual([
      'application/x-ndjson',
      '1\n2\n',
    ])
  })

  it('is its files, which no browser shows as a page, also in parts', async () => {
    await using served = await serveJobs()
    const id = await served.submit()
    const lease = await served.take()
    await served.keep(lease, 'a.html', '<h1>hello</h1>', 'text/html')
    const large = new Uint8Array(1_000_000).fill(7)
    await served.keep(lease, 'large.bin', large, 'application/octet-stream')
    const job = await (await served.call(`/-/jobs/${id}`)).json()
    const url = job.files.find(({ name }: { name: string }) => name === 'a.html').url
    const page = await served.call(url)
    expect(page.headers.get('content-disposition')).toBe('attachment; filename="a.html"')
    expect(await page.text()).toBe('<h1>hello</h1>')
    const part = await served.call(`/-/jobs/${id}/files/large.bin`, { headers: { range: 'bytes=5-999998' } })
    expect([part.status, (await part.bytes()).length]).toEqual([206, 999_994])
    expect(
      (await served.call(`/-/jobs/${id}/files/large.bin`, { headers: { range: 'bytes=1000000-' } })).status,
    ).toBe(416)
    for (const name of ['b.html', '..%2fjobs.sqlite', '.env', '%00']) {
      expect([404, 409]).toContain((await served.call(`/-/jobs/${id}/files/${name}`)).status)
    }
  })

  it('is what it said, as lines for people or as JSON', async () => {
    await using served = await serveJobs()
    const id = await served.submit()
    const atMs = Date.UTC(2030, 0, 1)
    await served.store.report(await served.take(), {
      progress: null,
      metrics: null,
      events: [
        { atMs, kind: 'message', data: { level: 'info', message: 'Hello.' } },
        { atMs, kind: 'log', data: { event: 'fetched', data: { bytes: 5 } } },
      ],
    })
    const text = await (await served.call(`/-/jobs/${id}/logs`)).text()
    expect(text).toBe('2030-01-01T00:00:00.000Z info: Hello.\n2030-01-01T00:00:00.000Z fetched {"bytes":5}\n')
    const reply = await served.call(`/-/jobs/${id}/logs`, { headers: { accept: 'application/x-ndjson' } })
    const [first = '', ...others] = (await reply.text()).trimEnd().split('\n')
    expect(JSON.parse(first)).toMatchObject({ kind: 'message', data: { message: 'Hello.' } })
    expect(others).toHaveLength(1)
  })
})
