import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Outcome, runCommand } from '../support/command.ts'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'

let project: TestProject
let server: TestServer
beforeAll(async () => {
  project = await makeProject({
    'functions/add.ts': adding,
    'functions/plus.ts': adding,
    'functions/_models/34/model.onnx': addConstantModel(34),
  })
  server = await startServer(project, 'dev', ['--replicas', '1'])
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

const run = (...args: string[]): Promise<Outcome> => runCommand(project, 'models', ...args)

describe('isoplex models load, pin, unpin and unload', () => {
  it('do what they say to the running server, and say what they did', async () => {
    expect(await run('load', '34', '--function', 'add')).toMatchObject({
      code: 0,
      stdout: 'Loaded 34@1 for add\n',
    })
    expect((await run('pin', '34@1')).stdout).toBe('Loaded and pinned 34@1 for add\n')
    expect((await runCommand(project, 'ps')).stdout).toMatch(/ add +34@1 +active .* yes$/m)
    expect((await run('unpin', '34')).stdout).toBe('Unpinned 34\n')
    expect((await run('unpin', '34')).stdout).toBe('Not pinned: 34\n')
    expect((await run('unload', '34')).stdout).toBe('Unloaded 34 (1)\n')
    expect((await run('unload', '34')).stdout).toBe('34 is not loaded.\n')
    expect((await runCommand(project, 'ps')).stdout).toMatch(/ago +unload +add +34@1 /)
  })

  it('say it to programs as JSON', async () => {
    const loaded = await run('load', '34', '--function', 'plus', '--pin', '--json')
    expect(JSON.parse(loaded.stdout)).toEqual([{ function: 'plus', id: '34', version: '1', pinned: true }])
    expect(JSON.parse((await run('unpin', '34', '--json')).stdout)).toEqual({ unpinned: 1 })
    expect(JSON.parse((await run('unload', '34', '--json')).stdout)).toEqual({ unloaded: 1 })
  })

  it('ask for the function where several might be meant', async () => {
    const { code, stderr } = await run('load', '34')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^isoplex: .*name one; there are: add, plus\.$/m)
    expect((await run('load', 'nobody', '--function', 'add')).stderr).toMatch(/There is no model "nobody"/)
  })
})
