import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient, fileValue, tensor } from '../../runtime/client/index.ts'
import { errorOf } from '../client/failed.ts'
import { itemsOf } from '../client/reading.ts'
import { startServer, type TestProject, type TestServer } from '../support/server.ts'
import { jobProcessesOf, makeJobsProject } from './jobs-project.ts'

const measure = `import { Type } from '@sinclair/typebox'
import { defineAction, file, IsoplexError, tensorOf } from 'isoplex'
export default defineAction({
  access: 'public',
  params: Type.Object({ texts: Type.Array(file({ mediaTypes: ['text/plain'] })), grid: tensorOf('float32', [null]) }),
  result: Type.Object({ bytes: Type.Integer(), sum: Type.Number() }),
  async *execute({ params: { texts, grid }, files }) {
    await files.write('all.json', JSON.stringify(texts.length), { mediaType: 'application/json' })
    if (texts.length === 0) throw new IsoplexError('URL_REFUSED', 'There is nothing.', { details: { reason: 'scheme' } })
    for (const { bytes } of texts) yield { bytes: bytes.length, sum: grid.data.reduce((sum, each) => sum + each, 0) }
  },
})
`
const waiting = `import { defineAction } from 'isoplex'
export default defineAction({
  access: 'public',
  async execute({ signal, logMessage }) {
    logMessage('waiting')
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  },
})
`

/** The actions of the project, as far as their types are known here. */
interface Routes {
  readonly survey: { readonly kind: 'action' }
  readonly measure: { readonly kind: 'action' }
  readonly waiting: { readonly kind: 'action' }
}

const clientOf = ({ url }: TestServer) => createClient<Routes>({ baseUrl: url })

describe('the client of a real server', () => {
  let project: TestProject
  let server: TestServer

  beforeAll(async () => {
    project = await makeJobsProject({ 'functions/measure.ts': measure, 'functions/waiting.ts': waiting })
    server = await startServer(project)
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await project[Symbol.asyncDispose]()
  })

  it('sends files and tensors among the parameters, and reads many values and files', async () => {
    const { measure } = clientOf(server)
    const texts = [
      new Blob(['four'], { type: 'text/plain' }),
      fileValue(new TextEncoder().encode('sixsix'), 'text/plain'),
    ]
    const job = await measure.submit({ texts, grid: tensor('float32', Float32Array.of(1, 2.5), [2]) })
    expect(await itemsOf(job.results())).toEqual([
      { bytes: 4, sum: 3.5 },
      { bytes: 6, sum: 3.5 },
    ])
    const { bytes, mediaType } = await job.file('all.json')
    expect([new TextDecoder().decode(bytes), mediaType]).toEqual(['2', 'application/json'])
    expect(job.job).toMatchObject({ state: 'succeeded', result: { form: 'lines', count: 2 } })
  })

  it('is told why a job fails, and refused before there is one where its parameters are wrong', async () => {
    const client = clientOf(server)
    const grid = tensor('float32', Float32Array.of(1), [1])
    const job = await client.measure.submit({ texts: [], grid })
    expect(await errorOf(job.result())).toMatchObject({
      code: 'URL_REFUSED',
      message: 'There is nothing.',
      details: { reason: 'scheme' },
    })
    const before = await client.jobs.list({ function: 'measure' })
    expect(await errorOf(client.measure.submit({ texts: 'none', grid }))).toMatchObject({
      code: 'INPUT_INVALID',
    })
    expect(await client.jobs.list({ function: 'measure' })).toHaveLength(before.length)
    expect(await errorOf(client.jobs.get('job_00000000000000000000000000'))).toMatchObject({
      code: 'JOB_NOT_FOUND',
    })
  })

  it('cancels a job', async () => {
    const { waiting } = clientOf(server)
    const job = await waiting.submit()
    for await (const { kind } of job.events()) {
      if (kind === 'message') await job.cancel()
    }
    expect(await errorOf(job.result())).toMatchObject({ code: 'CANCELLED' })
    expect((await job.refresh()).state).toBe('cancelled')
  })

  it('gives one job for one key, and none for other parameters', async () => {
    const { survey } = clientOf(server)
    const options = { idempotencyKey: 'nightly' }
    const first = await survey.submit({ count: 2, pauseMs: 0 }, options)
    expect((await survey.submit({ count: 2, pauseMs: 0 }, options)).id).toBe(first.id)
    expect(await errorOf(survey.submit({ count: 3, pauseMs: 0 }, options))).toMatchObject({
      code: 'IDEMPOTENCY_MISMATCH',
    })
    expect(await first.result()).toEqual({ sum: 3, squares: 5, processed: 4 })
  })
})

describe('a client that waits for a job', () => {
  it('gets its result although process and server are killed, each event once', async () => {
    await using project = await makeJobsProject()
    let server = await startServer(project)
    const port = new URL(server.url).port
    try {
      const job = await clientOf(server).survey.submit({ count: 60, pauseMs: 10 })
      const overall: number[] = []
      const result = job.result({ onProgress: (progress) => overall.push(progress.overall) })
      const seqs: number[] = []
      for await (const { seq, kind, data } of job.events()) {
        seqs.push(seq)
        if (kind === 'step' && data.step === 'sum' && data.state === 'done') {
          await server.end('SIGKILL')
          server = await startServer(project, 'dev', ['--port', port])
        }
        if (kind === 'step' && data.step === 'squares' && data.state === 'done') {
          for (const pid of jobProcessesOf(server)) process.kill(pid, 'SIGKILL')
        }
      }
      expect(await result).toEqual({ sum: 1_830, squares: 73_810, processed: 120 })
      expect(seqs.every((seq, index) => seq > (seqs[index - 1] ?? 0))).toBe(true)
      expect(overall).toEqual(overall.toSorted((left, right) => left - right))
      expect(overall.at(-1)).toBe(100)
    } finally {
      await server[Symbol.asyncDispose]()
    }
  })
})
