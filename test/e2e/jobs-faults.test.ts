import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createDatabase, hasPostgres } from '../support/postgres.ts'
import { isAlive, isStopped } from '../support/process-table.ts'
import { startServer, type TestProject, type TestServer, until } from '../support/server.ts'
import {
  ended,
  eventsOf,
  jobProcessesOf,
  look,
  makeJobsProject,
  notedIn,
  type ShownJob,
  stubborn,
  submit,
} from './jobs-project.ts'

let project: TestProject
let servers: TestServer[] = []
afterEach(async () => {
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()))
  servers = []
  await project[Symbol.asyncDispose]()
})

/** Starts a server of the project. */
const startAgain = async (): Promise<TestServer> => {
  const server = await startServer(project, 'serve')
  servers.push(server)
  return server
}
const start = async (options = '', settings: Readonly<Record<string, unknown>> = {}): Promise<TestServer> => {
  project = await makeJobsProject({ 'functions/stubborn.ts': stubborn(options) }, settings)
  return startAgain()
}
const inAct = (server: TestServer, id: string, attempt = 1): Promise<void> =>
  until(async () => {
    const lines = await notedIn(project)
    return lines.includes(`execute act ${attempt}`) && (await look(server, id)).state === 'running'
  })
const rolledBack = ['rollback act', 'rollback prepare']
const stepStates = ({ steps }: ShownJob): readonly string[] =>
  steps.map(({ state }: { readonly state: string }) => state)

describe('an action that does not do what it should', () => {
  it.each(['spin', 'ignore'])('is ended by force where it does not end in its time: %s', async (act) => {
    const server = await start('timeoutMs: 2500,', { jobCancelGraceMs: 100 })
    const job = await ended(server, await submit(server, '/stubborn', { act }))
    expect(job).toMatchObject({ state: 'failed', error: { code: 'DEADLINE_EXCEEDED', rollbackErrors: [] } })
    expect((await notedIn(project)).slice(2)).toEqual(rolledBack)
    expect(stepStates(job)).toEqual(['rolled-back', 'rolled-back'])
    await until(() => jobProcessesOf(server).length === 0)
    const again = await submit(server, '/survey', { count: 1, pauseMs: 0 })
    expect(await ended(server, again)).toMatchObject({ state: 'succeeded' })
  })

  it.each(['spin', 'ignore'])('is ended by force where it does not listen to a cancel: %s', async (act) => {
    const server = await start('', { jobCancelGraceMs: 100 })
    const id = await submit(server, '/stubborn', { act })
    await inAct(server, id)
    expect((await server.call(`/-/jobs/${id}`, { method: 'DELETE' })).json).toMatchObject({
      cancelRequested: true,
    })
    const job = await ended(server, id)
    expect(job).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } })
    expect((await notedIn(project)).slice(2)).toEqual(rolledBack)
  })

  it('fails where its process dies again and again, and is rolled back', async () => {
    const server = await start('', { maxJobAttempts: 3 })
    const job = await ended(server, await submit(server, '/stubborn', { act: 'die' }))
    expect(job).toMatchObject({ state: 'failed', error: { code: 'JOB_CRASHED', rollbackErrors: [] } })
    const lines = await notedIn(project)
    const executed = lines.filter((line) => line.startsWith('execute act'))
    // The first one got further than none before it: it had recorded a step.
    expect(executed).toEqual([1, 2, 3, 4].map((attempt) => `execute act ${attempt}`))
    expect(lines.slice(-2)).toEqual(rolledBack)
    expect(stepStates(job)).toEqual(['rolled-back', 'rolled-back'])
  })
})

describe('a server that stops', () => {
  it('gives its jobs back without blame, and goes on with them at the next start', async () => {
    const first = await start('', { maxJobAttempts: 1 })
    const id = await submit(first, '/stubborn', { act: 'hold' })
    await inAct(first, id)
    const [pid = 0] = jobProcessesOf(first)
    expect(await first.end()).toBe(0)
    expect(isAlive(pid)).toBe(false)
    const second = await startAgain()
    await inAct(second, id, 2)
    await writeFile(join(project.directory, 'go'), '')
    expect(await ended(second, id)).toMatchObject({ state: 'succeeded', attempt: 2 })
    expect(await notedIn(project)).toEqual(['execute prepare 1', 'execute act 1', 'execute act 2'])
  })

  it('leaves none of its scratch files, nor those of one that was killed', async () => {
    const first = await start()
    const id = await submit(first, '/stubborn', { act: 'hold' })
    await inAct(first, id)
    await first.end('SIGKILL')
    const second = await startAgain()
    await inAct(second, id, 2)
    await second.end()
    expect(await readdir(join(project.directory, '.isoplex/jobs/work'))).toEqual([])
  })
})

describe('a submitter who loses the right to a model', () => {
  it('loses the job, which is rolled back, when it would go on', async () => {
    const server = await start()
    await project.run('tenants', 'add', 'acme')
    await writeFile(join(project.directory, 'model.onnx'), 'any bytes')
    const added = await project.run('models', 'add', 'model.onnx', '--id', 'digits')
    expect(added.stderr).toBe('')
    const token = await server.token('digits', 'acme')
    const refused = await server.call('/stubborn', { json: { act: 'hold', model: 'other' }, token })
    expect(refused).toMatchObject({ status: 403, json: { code: 'MODEL_FORBIDDEN' } })
    const id = await submit(server, '/stubborn', { act: 'hold', model: 'digits' }, { token })
    const mine = async (): Promise<ShownJob> => (await server.call(`/-/jobs/${id}`, { token })).json
    await until(async () => (await notedIn(project)).includes('execute act 1'))
    await project.run('tenants', 'revoke', 'acme')
    // The server hears of the change by its watch of the registry: before, its own memory would let the job go on.
    await until(async () => (await server.call(`/-/jobs/${id}`, { token })).status !== 200)
    const other = await server.token('digits', 'others')
    expect((await server.call(`/-/jobs/${id}`, { token: other })).status).not.toBe(200)
    process.kill(jobProcessesOf(server)[0] ?? 0, 'SIGKILL')
    await until(async () => (await notedIn(project)).includes('rollback prepare'))
    expect((await notedIn(project)).slice(-2)).toEqual(rolledBack)
    await project.run('tenants', 'add', 'acme')
    await until(async () => (await mine())?.state === 'failed')
    expect(await mine()).toMatchObject({ error: { code: 'MODEL_FORBIDDEN' } })
  })
})

describe('two servers with one state folder', () => {
  it('do not share its jobs: the second one says so, and takes over', async () => {
    const first = await start()
    const id = await submit(first, '/stubborn', { act: 'hold' })
    await inAct(first, id)
    const second = await startAgain()
    const refused = await second.call('/survey', { json: { count: 1, pauseMs: 0 } })
    expect(refused).toMatchObject({ status: 503, json: { code: 'JOB_STORE_UNAVAILABLE', reason: 'taken' } })
    expect(refused.json.detail).toContain('jobStoreUrl')
    await until(() => second.log().includes('Another server keeps the jobs'))
    expect((await look(first, id)).state).toBe('running')
    await first.end('SIGKILL')
    await until(async () => (await second.call(`/-/jobs/${id}`)).status === 200)
    await writeFile(join(project.directory, 'go'), '')
    expect(await ended(second, id)).toMatchObject({ state: 'succeeded' })
  })
})

describe.runIf(hasPostgres)('several servers with one database', () => {
  const startBoth = async (url: string): Promise<readonly [TestServer, TestServer]> => {
    const settings = { jobStoreUrl: url, jobLeaseMs: 1_000 }
    const first = await start('', settings)
    return [first, await startAgain()]
  }
  /** Which of them runs a job, and which does not. */
  const halves = (both: readonly TestServer[]): { runs: TestServer; idle: TestServer } => {
    const runs = both.find((server) => jobProcessesOf(server).length > 0)
    const idle = both.find((server) => server !== runs)
    if (!runs || !idle) throw new Error('no server runs the job')
    return { runs, idle }
  }

  it('go on with the jobs of one that is killed', async () => {
    await using database = await createDatabase()
    const both = await startBoth(database.url)
    const id = await submit(both[0], '/stubborn', { act: 'hold' })
    await inAct(both[0], id)
    const { runs, idle } = halves(both)
    await runs.end('SIGKILL')
    await inAct(idle, id, 2)
    await writeFile(join(project.directory, 'go'), '')
    expect(await ended(idle, id)).toMatchObject({ state: 'succeeded', attempt: 2 })
  })

  it('take nothing from one that stood still, and has lost its job', async () => {
    await using database = await createDatabase()
    const both = await startBoth(database.url)
    const id = await submit(both[0], '/stubborn', { act: 'hold' })
    await inAct(both[0], id)
    const { runs, idle } = halves(both)
    const [pid = 0] = jobProcessesOf(runs)
    process.kill(runs.pid, 'SIGSTOP')
    await until(() => isStopped(runs.pid))
    await inAct(idle, id, 2)
    // The process of the one that stands still goes on as well, and wants to record its step.
    await writeFile(join(project.directory, 'go'), '')
    const job = await ended(idle, id)
    process.kill(runs.pid, 'SIGCONT')
    await until(() => !isAlive(pid))
    await until(() => runs.log().includes('The lease of a job is lost'))
    expect(job).toMatchObject({ state: 'succeeded', attempt: 2 })
    expect(await look(runs, id)).toEqual(job)
    const done = (await eventsOf(idle, id)).filter(({ data }) => data.state === 'done')
    expect(done.map(({ data }) => data.step)).toEqual(['prepare', 'act'])
  })

  it('outlive that it goes away and comes back', async () => {
    await using database = await createDatabase()
    const server = await start('', { jobStoreUrl: database.url, jobLeaseMs: 1_000 })
    const id = await submit(server, '/stubborn', { act: 'hold' })
    await inAct(server, id)
    const [pid = 0] = jobProcessesOf(server)
    await database.leave()
    const refused = async (): Promise<boolean> => {
      const reply = await server.call('/survey', { json: { count: 1, pauseMs: 0 } })
      return reply.status === 503 && reply.json.reason === 'unreachable'
    }
    await until(refused)
    await writeFile(join(project.directory, 'go'), '')
    await until(() => server.log().includes('could not be renewed'))
    expect(jobProcessesOf(server)).toEqual([pid])
    await database.return()
    expect(await ended(server, id)).toMatchObject({ state: 'succeeded', attempt: 1 })
    const next = await submit(server, '/survey', { count: 1, pauseMs: 0 })
    expect(await ended(server, next)).toMatchObject({ state: 'succeeded' })
  })
})
