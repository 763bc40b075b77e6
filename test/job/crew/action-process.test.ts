import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { cancelledEnd, overdueEnd } from '../../../runtime/job/crew/job-end.ts'
import { isAlive } from '../../support/process-table.ts'
import { actionFiles } from './action-files.ts'
import { ActionWorkshop } from './action-workshop.ts'

let workshop: ActionWorkshop
let root: string
let directory: string

beforeAll(async () => {
  workshop = await ActionWorkshop.make(actionFiles)
  root = await mkdtemp(join(tmpdir(), 'isoplex-action-'))
})
beforeEach(async () => {
  directory = await mkdtemp(join(root, 'test-'))
})
afterAll(async () => {
  await workshop[Symbol.asyncDispose]()
  await rm(root, { recursive: true })
})

async function runToEnd(action: string, params: unknown = {}) {
  const jobId = await workshop.submit(action, params)
  const taking = await workshop.start()
  return { jobId, ...(await taking.end()) }
}

describe('an action without steps', () => {
  it('runs over models and leaves result, files, metrics and progress', async () => {
    const { jobId, job, how, finished } = await runToEnd('adding', { count: 100 })
    expect([how, finished]).toEqual(['exit code 0', true])
    expect(job).toMatchObject({
      state: 'succeeded',
      error: null,
      result: { form: 'value', mediaType: 'application/json', count: 1 },
      files: [{ name: 'sum.csv', mediaType: 'text/csv' }],
      metrics: { inference: { sum: 5450, five: 5 } },
      progress: { overall: 100, categories: { inference: { current: 100, total: 100 } } },
    })
    expect(await workshop.result(jobId)).toBe('{"sum":5450}')
    const logged = (await workshop.events(jobId)).find(({ kind }) => kind === 'log')
    expect(logged?.data).toEqual({ event: 'done', data: { sends: 'undefined' } })
  })

  it('streams its result, each item held to the schema', async () => {
    const { jobId, job } = await runToEnd('streaming', { count: 5_000 })
    expect(job.result).toMatchObject({ form: 'lines', mediaType: 'application/x-ndjson', count: 5_000 })
    const lines = (await workshop.result(jobId)).trim().split('\n')
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([5_000, '{"n":1}', '{"n":5000}'])
    const refused = await runToEnd('streaming', { count: 5_001 })
    expect(refused.job).toMatchObject({ state: 'failed', error: { code: 'OUTPUT_INVALID' }, result: null })
  })

  it('that floods events has them cut, and counted', async () => {
    const { jobId, job } = await runToEnd('flooding')
    expect(job.state).toBe('succeeded')
    const events = await workshop.events(jobId)
    const told = events.filter(({ kind }) => kind === 'log').length
    const dropped = events
      .filter(({ kind }) => kind === 'dropped')
      .reduce((sum, { data }) => sum + Number(data.count), 0)
    expect(told).toBeGreaterThanOrEqual(1_000)
    expect(told).toBeLessThan(5_000)
    expect(told + dropped).toBe(100_000)
    expect(events.length).toBeLessThan(10_000)
  })
})

describe('an action that fails', () => {
  it.each([
    ['throws', { code: 'INTERNAL', message: 'Error: thrown' }],
    ['throwsOurs', { code: 'FETCH_FAILED', message: 'It is gone.' }],
    ['throwsInTimer', { code: 'INTERNAL', message: 'Error: in a timer' }],
    ['rejects', { code: 'INTERNAL', message: 'Error: rejected' }],
    ['returnsOther', { code: 'OUTPUT_INVALID' }],
  ])('fails its job with the reason where it %s', async (way, error) => {
    const { job, how, finished } = await runToEnd('failing', { way })
    expect([how, finished]).toEqual(['exit code 0', true])
    expect(job).toMatchObject({ state: 'failed', error, result: null })
  })

  it('leaves its job as it is where it ends the process', async () => {
    const { job, how, finished } = await runToEnd('failing', { way: 'exits' })
    expect([how, finished, job.state]).toEqual(['exit code 3', false, 'running'])
  })

  it('fails before it begins where its parameters do not fit', async () => {
    const { job } = await runToEnd('streaming', { count: 'many' })
    expect(job).toMatchObject({ state: 'failed', error: { code: 'INPUT_INVALID' } })
  })
})

describe('an action that is to end', () => {
  async function startWaiting(deaf: boolean) {
    const begun = join(directory, 'begun')
    const jobId = await workshop.submit('waiting', { begun, deaf })
    const taking = await workshop.start()
    await expect.poll(() => existsSync(begun), { timeout: 10_000 }).toBe(true)
    return { jobId, taking }
  }

  it.each([
    ['cancelled', cancelledEnd(), 'CANCELLED'],
    ['failed', overdueEnd(1_000), 'DEADLINE_EXCEEDED'],
  ])('hears why, and has %s', async (state, end, code) => {
    const { jobId, taking } = await startWaiting(false)
    taking.process.cancel(end.error)
    const { job, finished } = await taking.end()
    expect([job.state, job.error?.code, finished]).toEqual([state, code, true])
    const messages = (await workshop.events(jobId)).filter(({ kind }) => kind === 'message')
    expect(messages.map(({ data }) => data.message)).toEqual([`It heard ${code}.`])
  })

  it('hears it also where it has not begun yet', async () => {
    const begun = join(directory, 'begun')
    await workshop.submit('waiting', { begun })
    const taking = await workshop.start()
    taking.process.cancel(cancelledEnd().error)
    expect(await taking.end()).toMatchObject({ finished: true, job: { state: 'cancelled' } })
    expect(existsSync(begun)).toBe(false)
  })

  it('is ended by force where it does not listen', async () => {
    const { taking } = await startWaiting(true)
    taking.process.cancel(cancelledEnd().error)
    taking.process.kill()
    const { how, finished } = await taking.end()
    expect([how, finished, isAlive(taking.process.pid)]).toEqual(['signal SIGKILL', false, false])
    taking.process.cancel(cancelledEnd().error)
    taking.process.kill()
  })
})

describe('an action with steps', () => {
  const traceOf = async (): Promise<string[]> =>
    (await readFile(join(directory, 'trace'), 'utf8')).trim().split('\n')
  const params = (fails: boolean) => ({
    trace: join(directory, 'trace'),
    gate: join(directory, 'gate'),
    fails,
  })

  /** Starts it and waits until it is in the middle of its second step. */
  async function startStepping(fails = false) {
    const jobId = await workshop.submit('stepping', params(fails))
    const taking = await workshop.start()
    await expect
      .poll(async () => (await workshop.events(jobId)).some(({ kind }) => kind === 'log'), {
        timeout: 10_000,
      })
      .toBe(true)
    return { jobId, taking }
  }

  it('records each step, and concludes', async () => {
    await writeFile(join(directory, 'gate'), '')
    const { jobId, job } = await runToEnd('stepping', params(false))
    expect(job).toMatchObject({
      state: 'succeeded',
      steps: ['one', 'two', 'three'].map((name) => ({ name, state: 'done' })),
      progress: { overall: 100 },
    })
    expect(JSON.parse(await workshop.result(jobId))).toMatchObject({
      success: true,
      processedCount: 3,
      results: ['one', 'two', 'three'],
    })
    expect(await traceOf()).toEqual(['one begins 1', 'two begins 1', 'three begins 1'])
  })

  it('goes on in the step in which its process was killed, with its checkpoint', async () => {
    const { jobId, taking } = await startStepping()
    process.kill(taking.process.pid, 'SIGKILL')
    expect(await taking.end()).toMatchObject({ how: 'signal SIGKILL', finished: false })
    await workshop.store.release(taking.taken.lease, { blameless: false })
    await writeFile(join(directory, 'gate'), '')
    const next = await workshop.start()
    expect(next.taken.job).toMatchObject({ id: jobId, attempt: 2, steps: [{ name: 'one', state: 'done' }] })
    const { job } = await next.end()
    expect(job.state).toBe('succeeded')
    expect(await traceOf()).toEqual(['one begins 1', 'two begins 1', 'two begins 2', 'three begins 1'])
    expect(JSON.parse(await workshop.result(jobId))).toMatchObject({ results: ['one', 'two', 'three'] })
    const logged = (await workshop.events(jobId)).filter(({ kind }) => kind === 'log')
    expect(logged.at(-1)?.data).toEqual({ event: 'checkpoint', data: { value: 'half way' } })
  })

  it('is rolled back where a step fails, the failed one first', async () => {
    await writeFile(join(directory, 'gate'), '')
    const { job } = await runToEnd('stepping', params(true))
    expect(job).toMatchObject({ state: 'failed', error: { code: 'STEP_FAILED', step: 'three' } })
    expect((await traceOf()).slice(3)).toEqual(['three is undone 1', 'two is undone 1', 'one is undone 1'])
  })

  it('is rolled back where it is cancelled', async () => {
    const { taking } = await startStepping()
    taking.process.cancel(cancelledEnd().error)
    const { job } = await taking.end()
    expect(job).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } })
    expect((await traceOf()).slice(2)).toEqual(['two is undone 1', 'one is undone 1'])
  })

  it('that has lost its lease changes nothing more, and ends', async () => {
    const { jobId, taking } = await startStepping()
    await workshop.store.release(taking.taken.lease, { blameless: true })
    await writeFile(join(directory, 'gate'), '')
    const { how, finished, job } = await taking.end()
    expect([how, finished]).toEqual(['exit code 1', false])
    expect(job).toMatchObject({ id: jobId, state: 'queued', steps: [{ name: 'one' }] })
    expect(await (await workshop.start()).end()).toMatchObject({ job: { id: jobId, state: 'succeeded' } })
  })
})

it('is ended where it never takes its order', async () => {
  const entryPath = join(directory, 'entry.ts')
  await writeFile(entryPath, 'setInterval(() => undefined, 1000)')
  await workshop.submit('flooding')
  const { how, finished } = await (await workshop.start({ entryPath, startTimeoutMs: 200 })).end()
  expect([how, finished]).toEqual(['signal SIGKILL', false])
})
