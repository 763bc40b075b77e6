import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Outcome, runCommand, startCommand } from '../support/command.ts'
import { adding, saying } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, startServer, type TestProject, type TestServer, until } from '../support/server.ts'
import { counting, stepping } from './job-functions.ts'

const backendUrl = 'https://api.example.com'
/** As `counting`, for who has a token only. */
const guarded = counting
  .replace("access: 'public',", '')
  .replace('n: Type.Integer({ minimum: 1 })', 'n: Type.Integer(), model: Type.Optional(Type.String())')

let project: TestProject
let server: TestServer
let accessToken: string

beforeAll(async () => {
  project = await makeProject({
    'functions/add.ts': adding,
    'functions/say.ts': saying('hello'),
    'functions/count.ts': counting,
    'functions/guarded.ts': guarded,
    'functions/steps.ts': stepping,
    'functions/_models/five/model.onnx': addConstantModel(5),
    'functions/_models/7/model.onnx': addConstantModel(7),
  })
  await project.run('tenants', 'add', 'acme')
  accessToken = (await project.run('access', 'add', '--tenant', 'acme')).stdout.trim()
  server = await startServer(project, 'serve', ['--replicas', '1', '--backend-url', backendUrl])
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
  await project?.[Symbol.asyncDispose]()
})

const origin = (): string => new URL(server.url).origin
const runThere = (environment: Readonly<Record<string, string>>, ...args: string[]): Promise<Outcome> =>
  runCommand(
    { directory: project.directory, environment: { ISOPLEX_URL: origin(), ...environment } },
    'run',
    ...args,
    '--mode',
    'job',
  )

describe('isoplex run of an inference function elsewhere', () => {
  it('calls it as infer_remote does, with the tenant', async () => {
    const environment = {
      SYNAPSE_HOST: backendUrl,
      SYNAPSE_ACCESS_TOKEN: accessToken,
      SYNAPSE_TENANT: 'acme',
    }
    const params = JSON.stringify({ model: 7, method: 'post', json: { x: 1 } })
    const { code, stdout, stderr } = await runThere(environment, 'add', '--params', params)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ y: 8, model: '7' })
  })

  it('does the same by the name remote, at the address of --url', async () => {
    const environment = { SYNAPSE_HOST: backendUrl, SYNAPSE_ACCESS_TOKEN: accessToken }
    const params = JSON.stringify({ model: 7, json: { x: 2 } })
    const { stdout } = await runCommand(
      { directory: project.directory, environment },
      ...['run', 'add', '--mode', 'remote', '--url', origin(), '--params', params],
    )
    expect(JSON.parse(stdout)).toMatchObject({ y: 9 })
  })

  it('finds the prefix of a plugin', async () => {
    await using plugin = await makeProject({
      'functions/say.ts': saying('there'),
      'functions/add.ts': adding,
    })
    await plugin.write('config.yaml', 'code: my_plugin\nversion: "1.0.0"\n')
    const seen: string[] = []
    const served = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: ({ url }) => {
        seen.push(new URL(url).pathname)
        return Response.json({ ok: true })
      },
    })
    const url = `http://127.0.0.1:${served.port}`
    const { code } = await runCommand(plugin, ...['run', 'add', '--mode', 'job', '--url', url])
    await served.stop(true)
    expect({ code, seen }).toEqual({ code: 0, seen: ['/7dbcdb4cdcff0833accce5cec9a375d1/add'] })
  })

  it('says what is missing for a model token, and tells no token', async () => {
    const environment = { SYNAPSE_ACCESS_TOKEN: accessToken, SYNAPSE_HOST: '' }
    const { code, stdout, stderr } = await runThere(environment, 'add', '--params', '{"model":7}')
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('SYNAPSE_HOST')
    expect(stderr).not.toContain(accessToken)
  })

  it('fails with what the server says', async () => {
    const { code, stderr } = await runThere({}, 'add', '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stderr).error.code).toBe('TOKEN_MISSING')
  })

  it('says that nobody listens', async () => {
    const { code, stderr } = await runThere({ ISOPLEX_URL: 'http://127.0.0.1:1' }, 'add')
    expect(code).toBe(1)
    expect(stderr).toContain('cannot be reached')
  })
})

it('calls an edge function there', async () => {
  expect((await runThere({}, 'say')).stdout).toBe('{"text":"hello"}\n')
})

describe('isoplex run of an action elsewhere', () => {
  it('submits a job, shows it as one of this machine, and fetches its files', async () => {
    const { code, stdout, stderr } = await runThere({}, 'count', '--params', '{"n":4}', '--output', 'fetched')
    expect({ code, stdout }).toEqual({ code: 0, stdout: '{"sum":10}\n' })
    expect(stderr).toMatch(/^Job job_/)
    expect(stderr).toMatch(/^success: all counted$/m)
    expect(await Bun.file(`${project.directory}/fetched/counts.csv`).text()).toBe('n\n4\n')
  })

  it.each([
    ['the parameters', ['--params', '{"n":2,"model":"five"}']],
    ['--model', ['--params', '{"n":2}', '--model', 'five']],
  ])('makes a token of the project where one is asked for and %s name a model', async (_, args) => {
    const { code, stdout, stderr } = await runThere({}, 'guarded', ...args)
    expect({ code, stdout }).toEqual({ code: 0, stdout: '{"sum":3}\n' })
    expect(stderr).not.toMatch(/[\w-]{20,}\.[\w-]+\.[\w-]+/)
  })

  it('takes the token of the environment, and of a file', async () => {
    const token = await server.token('five')
    const given = await runThere({ ISOPLEX_TOKEN: token }, 'guarded', '--params', '{"n":2}')
    expect(given.code).toBe(0)
    await project.write('token', `${token}\n`)
    const read = await runThere({}, 'guarded', '--params', '{"n":2}', '--token-file', 'token')
    expect(read.code).toBe(0)
    expect(given.stderr + read.stderr).not.toContain(token)
  })

  it('without a token ends with 1 where one is needed, and says how to give one', async () => {
    const { code, stderr } = await runThere({}, 'guarded', '--params', '{"n":2}', '--json')
    expect(code).toBe(1)
    const { error } = JSON.parse(stderr)
    expect(error.code).toBe('TOKEN_MISSING')
    for (const way of ['ISOPLEX_TOKEN', '--token-file', '--model']) expect(error.message).toContain(way)
  })

  it('says where no server answers, and what to do', async () => {
    const { code, stderr } = await runThere(
      { ISOPLEX_URL: 'http://127.0.0.1:1' },
      'count',
      '--params',
      '{"n":1}',
    )
    expect(code).toBe(1)
    expect(stderr).toContain('No server answers at http://127.0.0.1:1; start one with "isoplex serve"')
    expect(stderr).toContain('--url')
  })

  it('ends with 2 where the server refuses the parameters', async () => {
    const { code, stderr } = await runThere({}, 'count', '--params', '{"n":0}')
    expect(code).toBe(2)
    expect(stderr).toContain('does not fit')
  })

  it('cancels the job by Ctrl-C, and waits for its rollback', async () => {
    const params = JSON.stringify({ trace: `${project.directory}/cancelled`, waits: true })
    const call = { directory: project.directory, environment: { ISOPLEX_URL: origin() } }
    await using running = startCommand(call, 'run', 'steps', '--mode', 'job', '--params', params)
    await until(() => running.stderr().includes('working'))
    running.kill('SIGINT')
    expect(await running.ended).toBe(130)
    expect(running.stderr()).toMatch(/^taken back$/m)
    const id = /^Job (\S+)$/m.exec(running.stderr())?.[1]
    const { stdout } = await project.run('jobs', 'show', id ?? '', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ state: 'cancelled' })
  })

  it('goes on to follow a job whose server went away and came back', async () => {
    await using own = await makeProject({ 'functions/steps.ts': stepping })
    const first = await startServer(own, 'serve', ['--replicas', '1', '--job-lease-ms', '1000'])
    const url = new URL(first.url)
    const params = JSON.stringify({ trace: `${own.directory}/trace`, waits: true })
    const call = { directory: own.directory, environment: { ISOPLEX_URL: url.origin } }
    await using running = startCommand(call, 'run', 'steps', '--mode', 'job', '--params', params)
    await until(() => running.stderr().includes('working'))
    await first.end('SIGKILL')
    await using second = await startServer(own, 'serve', ['--replicas', '1', '--port', url.port])
    await until(() => running.stderr().includes('attempt 2'))
    await own.run('jobs', 'cancel', /^Job (\S+)$/m.exec(running.stderr())?.[1] ?? '')
    expect(await running.ended).toBe(1)
    expect(running.stderr()).toMatch(/^cancelled$/m)
    expect(second.pid).not.toBe(first.pid)
  })
})
