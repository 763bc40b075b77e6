import { describe, expect, it } from 'vitest'
import { IsoplexError } from '../../runtime/client/index.ts'
import type { Job } from '../../runtime/job/job.ts'
import type { TestJob } from '../support/job-server.ts'
import { errorOf } from './failed.ts'
import { openJobScene } from './job-scene.ts'
import { itemsOf } from './reading.ts'

const failed: Partial<Job> = {
  state: 'failed',
  error: {
    code: 'STEP_FAILED',
    message: 'There was no room.',
    details: { step: 'write' },
    step: 'write',
    rollbackErrors: ['The folder stayed.'],
  },
}

/** Has each job that is submitted end in this way, at once. */
const endingBy = (end: (job: TestJob) => void) => (job: TestJob) => end(job)

describe('submitting', () => {
  it('gives the handle of a job, with the parameters sent as those of any function', async () => {
    await using scene = await openJobScene()
    const { client, desk } = scene
    const sent = new Promise<string>((resolve) => {
      desk.onSubmit = (_, body) => resolve(body)
    })
    const handle = await client.work.submit({ count: 2, data: new Blob(['abc'], { type: 'text/plain' }) })
    expect(handle.id).toMatch(/^job_\w{26}$/)
    expect(handle.job).toMatchObject({ id: handle.id, state: 'queued', function: 'work' })
    expect(await sent).toMatch(/\{"count":2,"data":null\}[\s\S]*name="\/data"[\s\S]*abc/)
    const [request] = desk.requests
    expect(request?.headers.get('content-type')).toMatch(/^multipart\/form-data/)
    expect(request?.headers.get('serve_multiplexed_model_id')).toBe('a-token')
  })

  it('makes one job however often the answer is lost', async () => {
    await using scene = await openJobScene({ idempotent: false })
    const { client, desk, proxy } = scene
    using lost = proxy.harm({ path: /^\/work$/, harm: 'cut', atByte: 10, times: 2 })
    const handle = await client.work.submit({})
    expect(lost.count).toBe(2)
    expect([...desk.jobs.keys()]).toEqual([handle.id])
    const keys = desk.requests.map(({ headers }) => headers.get('idempotency-key'))
    expect(keys).toHaveLength(3)
    expect(new Set(keys).size).toBe(1)
    expect(keys[0]).toMatch(/^\w{32}$/)
    await client.work.submit({})
    expect(desk.jobs.size).toBe(2)
  })

  it('gives the job that a key stands for', async () => {
    await using scene = await openJobScene()
    const { client, desk } = scene
    const first = await client.work.submit({ a: 1 }, { idempotencyKey: 'nightly' })
    const second = await client.work.submit({ a: 1 }, { idempotencyKey: 'nightly' })
    expect(second.id).toBe(first.id)
    expect(desk.jobs.size).toBe(1)
    await expect(client.work.submit({}, { idempotencyKey: 'two words' })).rejects.toThrow(
      '"idempotencyKey" must be made of visible ASCII',
    )
  })

  it('fails where what answers is no action', async () => {
    await using scene = await openJobScene({ path: '/jobs' })
    const error = await errorOf(scene.client.work.submit({}))
    expect(error).toMatchObject({ code: 'FETCH_FAILED', details: { reason: 'content' } })
  })
})

describe('the result of a job', () => {
  it('is waited for, with progress on the way', async () => {
    await using scene = await openJobScene()
    const { client, desk } = scene
    desk.onSubmit = endingBy((job) => {
      job.advance({ overall: 40, current: 'inference' })
      job.advance({ overall: 99.99, current: 'inference' })
      const progress = { ...job.job.progress, overall: 100 }
      job.end({ state: 'succeeded', progress }, { value: { mean: 0.5 } })
    })
    const handle = await client.work.submit({})
    const seen: number[] = []
    const result = await handle.result({ onProgress: ({ overall }) => seen.push(overall) })
    expect(result).toEqual({ mean: 0.5 })
    expect(seen).toEqual([40, 99.99, 100])
    expect(handle.job.state).toBe('succeeded')
  })

  it.each([
    [failed, { code: 'STEP_FAILED', message: 'There was no room.', details: { step: 'write' } }],
    [{ state: 'cancelled' }, { code: 'CANCELLED', message: 'The job was cancelled.' }],
  ] as const)('is the error of a job that ended as %j', async (end, expected) => {
    await using scene = await openJobScene()
    const { client, desk } = scene
    desk.onSubmit = endingBy((job) => job.end(end))
    const handle = await client.work.submit({})
    const error = await errorOf(handle.result())
    expect(error).toBeInstanceOf(IsoplexError)
    expect(error).toMatchObject(expected)
    expect(await errorOf(itemsOf(handle.results()))).toMatchObject(expected)
    expect(handle.job.error).toEqual(end === failed ? failed.error : null)
  })

  it('comes line by line where there are many, errors among them as they are', async () => {
    await using scene = await openJobScene()
    const { client, desk } = scene
    const lines = [{ a: 1 }, { error: { code: 'INPUT_INVALID', message: 'a line of its own' } }, null, 'ü']
    desk.onSubmit = endingBy((job) => job.end({ state: 'succeeded' }, { lines }))
    const handle = await client.work.submit({})
    expect(await itemsOf(handle.results())).toEqual(lines)
    await expect(handle.result()).rejects.toThrow(/gave lines; read them by "results"/)
  })

  it('is one value where there is one', async () => {
    await using scene = await openJobScene()
    const { client, desk } = scene
    desk.onSubmit = endingBy((job) => job.end({ state: 'succeeded' }, { value: [1, 2] }))
    const handle = await client.work.submit({})
    expect(await itemsOf(handle.results())).toEqual([[1, 2]])
  })

  it('is an error where the lines break off', async () => {
    await using scene = await openJobScene()
    const { client, desk, proxy } = scene
    desk.onSubmit = endingBy((job) => job.end({ state: 'succeeded' }, { lines: [1, 2, 3] }))
    const handle = await client.work.submit({})
    using _ = proxy.harm({ path: /\/result$/, harm: 'cut', atByte: 3 })
    const read: unknown[] = []
    const reading = (async () => {
      for await (const item of handle.results()) read.push(item)
    })()
    expect(await errorOf(reading)).toMatchObject({ code: 'FETCH_FAILED' })
    expect(read.length).toBeLessThan(3)
  })

  it('is waited for no longer than a caller likes, and the job goes on', async () => {
    await using scene = await openJobScene()
    const { client } = scene
    const handle = await client.work.submit({})
    expect(await errorOf(handle.result({ timeoutMs: 50 }))).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    const gone = new AbortController()
    const waiting = errorOf(handle.result({ signal: gone.signal }))
    gone.abort()
    expect(await waiting).toMatchObject({ code: 'CANCELLED' })
    expect((await handle.refresh()).state).toBe('queued')
  })
})

describe('a job', () => {
  it('is cancelled, once or twice', async () => {
    await using scene = await openJobScene()
    const { client, desk } = scene
    const handle = await client.work.submit({})
    expect(await handle.cancel()).toMatchObject({ cancelRequested: true })
    expect((await handle.cancel()).cancelRequested).toBe(true)
    expect(handle.job.cancelRequested).toBe(true)
    expect(desk.requests.filter(({ method }) => method === 'DELETE')).toHaveLength(2)
  })

  it('gives its files as they are, whatever their names and types', async () => {
    await using scene = await openJobScene()
    const { client, desk } = scene
    const handle = await client.work.submit({})
    const job = desk.jobs.get(handle.id)
    job?.keep('matrix.json', 'application/json', '{ "a": 1 }')
    job?.keep('picture.svg', 'image/svg+xml', '<svg/>')
    const file = await handle.file('matrix.json')
    expect(file).toMatchObject({ mediaType: 'application/json', name: 'matrix.json' })
    expect(new TextDecoder().decode(file.bytes)).toBe('{ "a": 1 }')
    expect((await handle.file('picture.svg')).mediaType).toBe('image/svg+xml')
    expect(await errorOf(handle.file('none'))).toMatchObject({ code: 'JOB_ENDED' })
    expect(await errorOf(handle.file('..'))).toMatchObject({ code: 'INPUT_INVALID' })
  })
})
