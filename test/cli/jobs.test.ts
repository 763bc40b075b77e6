import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Outcome, runCommand, startCommand } from '../support/command.ts'
import { makeProject, startServer, type TestProject, type TestServer, until } from '../support/server.ts'
import { counting, listing, stepping } from './job-functions.ts'

let project: TestProject
let server: TestServer
const jobs = (...args: string[]): Promise<Outcome> => runCommand(project, 'jobs', ...args)
const submit = async (name: string, params: object): Promise<string> => {
  const { json } = await server.call(`/${name}`, { json: params })
  return json.id
}
const ended = async (id: string): Promise<void> => {
  await until(async () => (await server.call(`/-/jobs/${id}`)).json.endedMs !== null)
}

beforeAll(async () => {
  project = await makeProject({
    'functions/count.ts': counting,
    'functions/list.ts': listing,
    'functions/steps.ts': stepping,
  })
  server = await startServer(project, 'serve', ['--replicas', '1'])
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await project?.[Symbol.asyncDispose]()
})

describe('isoplex jobs', () => {
  it('lists the jobs of everybody, the newest first', async () => {
    const first = await submit('count', { n: 1 })
    const second = await submit('list', { n: 2 })
    await Promise.all([ended(first), ended(second)])
    const listed: { id: string }[] = JSON.parse((await jobs('list', '--json')).stdout)
    const ids = listed.map(({ id }) => id)
    expect(ids.indexOf(second)).toBeLessThan(ids.indexOf(first))
    const { stdout } = await jobs('list', '--function', 'count', '--state', 'succeeded')
    expect(stdout).toMatch(new RegExp(`^JOB .*\\n${first} +count +succeeded +100 %`, 'm'))
    expect(stdout).not.toContain(second)
    const older = JSON.parse((await jobs('list', '--json', '--before', second, '--limit', '1')).stdout)
    expect(older).toMatchObject([{ id: first }])
  })

  it('shows a job, its log and its result', async () => {
    const id = await submit('count', { n: 3 })
    await ended(id)
    const { stdout } = await jobs('show', id)
    expect(stdout).toMatch(/^state +succeeded$/m)
    expect(stdout).toMatch(/^file counts.csv +4 B$/m)
    expect((await jobs('logs', id)).stdout).toMatch(/begun .*"n":3.*\n.*success: all counted\n$/)
    const [line = ''] = (await jobs('logs', id, '--json')).stdout.split('\n')
    expect(JSON.parse(line)).toMatchObject({ kind: 'log', data: { event: 'begun' } })
    expect((await jobs('result', id, '--json')).stdout).toBe('{"sum":6}\n')
  })

  it('writes many results line by line', async () => {
    const id = await submit('list', { n: 3 })
    await ended(id)
    expect((await jobs('result', id)).stdout).toBe('{"n":0}\n{"n":1}\n{"n":2}\n')
  })

  it('follows a job to its end, and cancels it', async () => {
    const id = await submit('steps', { trace: `${project.directory}/followed`, waits: true })
    await using following = startCommand(project, 'jobs', 'follow', id)
    await until(() => following.stderr().includes('working'))
    const waiting = await jobs('result', id)
    expect({ code: waiting.code, stderr: waiting.stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('jobs follow'),
    })
    expect((await jobs('cancel', id)).stdout).toBe(`${id} is to end\n`)
    expect(await following.ended).toBe(1)
    expect(following.stderr()).toMatch(/^taken back$/m)
    expect((await jobs('cancel', id)).stdout).toMatch(/has ended: cancelled\n$/)
    expect((await jobs('result', id)).code).toBe(1)
  })

  it('stops following by Ctrl-C, and leaves the job alone', async () => {
    const id = await submit('steps', { trace: `${project.directory}/left`, waits: true })
    await using following = startCommand(project, 'jobs', 'follow', id)
    await until(() => following.stderr().includes('working'))
    following.kill('SIGINT')
    expect(await following.ended).toBe(130)
    expect(JSON.parse((await jobs('show', id, '--json')).stdout).state).toBe('running')
    await jobs('cancel', id)
    await ended(id)
  })

  it('says that there is no such job', async () => {
    const { code, stderr } = await jobs('show', 'job_00000000000000000000000000', '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stderr).error.code).toBe('JOB_NOT_FOUND')
  })

  it('says what to do where no server runs', async () => {
    await using idle = await makeProject({ 'functions/count.ts': counting })
    const { code, stdout, stderr } = await runCommand(idle, 'jobs', 'list')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/No server runs on the state directory/)
  })

  it.each([
    [['list', '--limit', '0'], 'from 1 to 1000'],
    [['list', '--state', 'elsewhere'], 'queued, running'],
    [['show'], 'missing required argument'],
  ])('refuses %j', async (args, advice) => {
    const { code, stderr } = await jobs(...args)
    expect(code).toBe(1)
    expect(stderr).toContain(advice)
  })
})
