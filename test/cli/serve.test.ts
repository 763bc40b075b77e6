import { readdir, readlink, realpath } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningCommand, runCommand, startCommand, startOnTerminal } from '../support/command.ts'
import { adding, saying } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { call, makeProject, type TestProject, until } from '../support/server.ts'

const listening = /^Listening on (http:\S+?)\/?\r?$/m

const colour = '\u001b['

const logging = `import { defineFunction } from 'isoplex'
export default defineFunction({
  access: 'public',
  handler({ log }) {
    log.info('Heard it', { from: 'here' })
    return {}
  },
})
`

const lasting = `import { defineFunction } from 'isoplex'
export default defineFunction({
  access: 'public',
  async *handler() {
    for (;;) {
      yield 'more'
      await Bun.sleep(50)
    }
  },
})
`

describe('isoplex dev and isoplex serve', () => {
  let project: TestProject

  beforeAll(async () => {
    project = await makeProject({
      'functions/add.ts': adding,
      'functions/hello.ts': saying('hello'),
      'functions/lasting.ts': lasting,
      'functions/log.ts': logging,
      'functions/_models/five/model.onnx': addConstantModel(5),
    })
  })
  afterAll(() => project[Symbol.asyncDispose]())

  it('print a line that calls a function when a shell runs it in the project', async () => {
    await using server = startCommand(project, 'dev', '--port', '0')
    const line = await server.said(/^Try it:\n {2}(curl .*)\n/m)
    const shell = Bun.spawn(['sh', '-c', line], { cwd: project.directory, stdout: 'pipe', stderr: 'ignore' })
    expect(await new Response(shell.stdout).json()).toMatchObject({ y: 6, model: 'five' })
  })

  it('listen where PORT and HOST say, and flags win over them', async () => {
    const environment = { PORT: '0', HOST: '127.0.0.2', ISOPLEX_LOG_LEVEL: 'error' }
    await using server = startCommand({ ...project, environment }, 'serve')
    expect(await server.said(listening)).toMatch(/^http:\/\/127\.0\.0\.2:\d+$/)
    const elsewhere = { ...environment, PORT: '1', HOST: '127.0.0.3' }
    await using other = startCommand(
      { ...project, environment: elsewhere },
      'serve',
      '--host',
      '::1',
      '--port',
      '0',
    )
    const url = await other.said(listening)
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/)
    expect((await call(`${url}/hello`)).json).toEqual({ text: 'hello' })
  })

  it('go at the first signal once the requests at hand are finished, and at the second at once', async () => {
    await using server = startCommand(project, 'dev', '--port', '0')
    const response = await fetch(`${await server.said(listening)}/lasting`)
    const reader = response.body?.getReader()
    await reader?.read()
    server.kill('SIGINT')
    await until(() => server.stderr().includes('Stopping: requests at hand are finished first.'))
    await reader?.read()
    server.kill('SIGINT')
    expect(await server.ended).toBe(1)
    await until(async () => (await processesIn(project)).length === 0)
  })

  it('go on where whoever read their output has gone', async () => {
    await using server = startCommand(project, 'serve', '--port', '0')
    const url = await server.said(listening)
    await server.hangUp()
    for (let round = 0; round < 3; round += 1) {
      expect((await call(`${url}/log`)).status).toBe(200)
    }
    server.kill('SIGTERM')
    expect(await server.ended).toBe(0)
    await expectGone(project)
  })
})

describe('what a server says', () => {
  let project: TestProject
  const environment = { ISOPLEX_REPLICAS: '1' }

  beforeAll(async () => {
    project = await makeProject({ 'functions/log.ts': logging })
  })
  afterAll(() => project[Symbol.asyncDispose]())

  async function sayAll(server: RunningCommand): Promise<string> {
    const url = await server.said(listening)
    expect((await call(`${url}/log`)).status).toBe(200)
    await until(() => server.stderr().includes('Heard it'))
    server.kill('SIGTERM')
    expect(await server.ended).toBe(0)
    return server.stderr()
  }

  it('is lines for people on a terminal, with colours in the log', async () => {
    await using server = startOnTerminal({ ...project, environment }, 'dev', '--port', '0')
    const screen = await sayAll(server)
    expect(screen).not.toMatch(/[{}]/)
    expect(screen).toContain(`${colour}32mINFO ${colour}0m Heard it `)
    expect(screen).toMatch(/^ {2}GET +\/log +functions\/log\.ts\r$/m)
  })

  it('has no colours where NO_COLOR is set', async () => {
    const call = { ...project, environment: { ...environment, NO_COLOR: '1' } }
    await using server = startOnTerminal(call, 'dev', '--port', '0')
    const screen = await sayAll(server)
    expect(screen).toMatch(/INFO {2}Heard it .*from=here/)
    expect(screen).not.toContain(colour)
  })

  it('is a log of JSON lines elsewhere, and with --json events of JSON', async () => {
    await using server = startCommand({ ...project, environment }, 'dev', '--port', '0', '--json')
    const url = await server.said(/"url":"(http:[^"]+?)\/?"/)
    expect((await call(`${url}/log`)).status).toBe(200)
    await until(() => server.stderr().includes('Heard it'))
    server.kill('SIGTERM')
    expect(await server.ended).toBe(0)
    const parse = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    expect(parse(server.stdout())).toEqual([
      {
        event: 'listening',
        url: `${url}/`,
        app: 'test-app@1.2.3',
        functions: ['log'],
        playground: `${url}/-/playground`,
        example: `curl ${url}/log`,
        tookMs: expect.any(Number),
      },
    ])
    const logged = parse(server.stderr())
    expect(logged).toContainEqual(
      expect.objectContaining({ level: 'info', message: 'Heard it', from: 'here' }),
    )
  })
})

describe('a server that cannot start', () => {
  it('names the port that is taken, and leaves nothing behind', async () => {
    await using project = await makeProject({ 'functions/hello.ts': saying('hello') })
    const taken = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() })
    const port = String(taken.port)
    const { code, stdout, stderr } = await runCommand(project, 'serve', '--port', port)
    await taken.stop(true)
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: `isoplex: Port ${port} on 127.0.0.1 is taken; name another with --port, or 0 for any that is free.\n`,
    })
    await expectGone(project)
  })

  it('names the address that is none of this machine', async () => {
    await using project = await makeProject({ 'functions/hello.ts': saying('hello') })
    const { code, stderr } = await runCommand(project, 'serve', '--port', '0', '--host', '192.0.2.1')
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'isoplex: 192.0.2.1 is no address of this machine; name another with --host.\n',
    })
  })

  it('names the setting that is wrong, and where it stands', async () => {
    await using project = await makeProject({ 'functions/hello.ts': saying('hello') }, { replicas: -1 })
    const { code, stderr } = await runCommand(project, 'serve', '--port', '0')
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'isoplex: "isoplex.replicas" in package.json must be an integer from 0 to 256; it is -1.\n',
    })
  })

  it('names the folder that holds no function', async () => {
    await using project = await makeProject()
    const { code, stdout, stderr } = await runCommand(project, 'serve', '--port', '0')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toBe(
      `isoplex: There is no function in ${await realpath(project.directory)}/functions; put a file there, or name another folder with --functions-directory.\n`,
    )
    await expectGone(project)
  })

  it('names every mistake of its functions', async () => {
    await using project = await makeProject({
      'functions/hello.ts': saying('hello'),
      'functions/one.ts': `\nthrow new Error('Not today.')\n`,
      'functions/two.ts': `export default 2\n`,
    })
    const { code, stdout, stderr } = await runCommand(project, 'serve', '--port', '0')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^functions\/one\.ts:2:\d+: Not today\.$/m)
    expect(stderr).toMatch(/^functions\/two\.ts:1:1: Its default export is of another kind/m)
    await expectGone(project)
  })

  it('names the build that is not whole', async () => {
    await using project = await makeProject({ 'dist/manifest.json': '{}' })
    const { code, stderr } = await runCommand(project, 'serve', '--port', '0', '--build', 'dist')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^isoplex: .*dist\/manifest\.json is not a whole build/)
    await expectGone(project)
  })
})

/** Waits until no process lives in a project's folder, and no file of a process is left in it. */
async function expectGone(project: TestProject): Promise<void> {
  await until(async () => (await processesIn(project)).length === 0)
  const builds = await readdir(`${project.directory}/.isoplex/builds`).catch(() => [])
  expect(builds).toEqual([])
}

/** The processes whose current folder a project is: the server and its children. */
async function processesIn({ directory }: TestProject): Promise<string[]> {
  const place = await realpath(directory)
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => null)))
  return pids.filter((_, index) => folders[index] === place)
}
