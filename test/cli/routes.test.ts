import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatRoutes } from '../../runtime/cli/routes.ts'
import { sampleFunction } from '../build/manifest-samples.ts'
import { runCommand } from '../support/command.ts'
import { adding, saying } from '../support/function-files.ts'
import { makeProject, type TestProject } from '../support/server.ts'

describe('isoplex routes', () => {
  let project: TestProject

  beforeAll(async () => {
    project = await makeProject({
      'functions/add.ts': adding,
      'functions/hello/[name].ts': saying('hello'),
      'functions/_private.ts': saying('not me'),
    })
  })
  afterAll(() => project[Symbol.asyncDispose]())

  it('lists what a server would answer, behind its prefix', async () => {
    const { code, stdout, stderr } = await runCommand(project, 'routes', '--route-prefix', '/v1')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n')).toEqual([
      'METHOD  PATH             KIND       ACCESS  FILE',
      'POST    /v1/add          inference  token   functions/add.ts',
      'GET     /v1/hello/:name  function   public  functions/hello/[name].ts',
      '',
    ])
  })

  it('says the same as a server to programs', async () => {
    const { stdout } = await runCommand(project, 'routes', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      app: 'test-app@1.2.3',
      routePrefix: '/',
      routes: [
        { name: 'add', path: '/add', methods: ['POST'], defaultModel: 'five' },
        { name: 'hello/[name]', path: '/hello/{name}', methods: ['GET'] },
      ],
      broken: [],
    })
  })

  it('writes the types of the routes for clients', async () => {
    await runCommand(project, 'routes', '--state-directory', '.state')
    const types = await readFile(join(project.directory, '.state/routes.d.ts'), 'utf8')
    expect(types).toContain('readonly "add": typeof import("../functions/add.ts").default')
  })

  it('exits with 1 where a file is broken, and says file, line and reason', async () => {
    await using other = await makeProject({
      'functions/a.ts': saying('a'),
      'functions/b.ts': 'export default 1 +\n',
    })
    const { code, stdout } = await runCommand(other, 'routes')
    expect(code).toBe(1)
    expect(stdout).toMatch(/^GET .* functions\/a\.ts\n\nBroken:\nfunctions\/b\.ts:\d+:\d+: \S/m)
    const told = await runCommand(other, 'routes', '--json')
    expect(told.code).toBe(1)
    expect(JSON.parse(told.stdout).broken).toEqual([
      {
        file: 'functions/b.ts',
        place: { file: 'functions/b.ts', line: expect.any(Number), column: expect.any(Number) },
        reason: expect.any(String),
        served: false,
      },
    ])
  })
})

describe('formatRoutes', () => {
  it('says by which name a deployment goes', () => {
    const loud = { ...sampleFunction('loud'), file: 'functions/quiet.ts', deploymentOf: 'quiet' }
    const table = formatRoutes({ functions: [loud], broken: [] }, { appName: 'a', routePrefix: '' })
    expect(table).toContain('functions/quiet.ts as loud')
  })

  it('says that there are none', () => {
    expect(formatRoutes({ functions: [], broken: [] }, { appName: 'a@1', routePrefix: '' })).toBe(
      'No functions.',
    )
  })

  it('lists all methods of a function', () => {
    const functions = [sampleFunction('a', { methods: ['GET', 'PUT'] })]
    expect(formatRoutes({ functions, broken: [] }, { appName: 'a@1', routePrefix: '' })).toContain('GET,PUT ')
  })
})
