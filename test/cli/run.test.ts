import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandLine, type Outcome, runCommand, startOnTerminal } from '../support/command.ts'
import { adding, saying } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, type TestProject } from '../support/server.ts'

/** Answers with the size of a file, and what else it was given. */
const weighing = `
import { Type } from '@sinclair/typebox'
import { defineFunction, file } from 'isoplex'
export default defineFunction({
  access: 'public',
  input: Type.Object({ sound: file({ mediaTypes: ['audio/wav'] }), note: Type.Optional(Type.String()) }),
  handler: ({ input }) => ({ bytes: input.sound.bytes.length, note: input.note ?? null }),
})
`
const greeting = `
import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'
export default defineFunction({
  access: 'public',
  params: Type.Object({ name: Type.String() }),
  query: Type.Object({ loud: Type.Optional(Type.String()) }),
  handler: ({ params, query }) => ({ name: params.name, loud: query.loud ?? null }),
})
`
const streaming = `
import { defineFunction } from 'isoplex'
export default defineFunction({ access: 'public', async *handler() { yield 1; yield { a: 2 } } })
`
const drawing = `
import { defineFunction, fileValue } from 'isoplex'
export default defineFunction({ access: 'public', handler: () => new Response('<svg/>', { headers: { 'content-type': 'image/svg+xml' } }) })
`
const dying = `
import { defineFunction } from 'isoplex'
export default defineFunction({ access: 'public', idempotent: false, handler: () => process.kill(process.pid, 'SIGKILL') })
`

let project: TestProject
const run = (...args: string[]): Promise<Outcome> => runCommand(project, 'run', ...args)

beforeAll(async () => {
  project = await makeProject({
    'functions/add.ts': adding,
    'functions/say.ts': saying('hello'),
    'functions/weigh.ts': weighing,
    'functions/greet/[name].ts': greeting,
    'functions/stream.ts': streaming,
    'functions/draw.ts': drawing,
    'functions/die.ts': dying,
    'functions/_models/five/model.onnx': addConstantModel(5),
    'functions/_models/7/model.onnx': addConstantModel(7),
    'sound.wav': 'RIFF',
    'params.json': '{"x":2}',
  })
})
afterAll(() => project[Symbol.asyncDispose]())

describe('isoplex run of a function', () => {
  it('writes the answer alone to standard output', async () => {
    const { code, stdout, stderr } = await run('add', '--params', '{"x":1}')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toMatchObject({ y: 6, model: 'five' })
  })

  it('takes another model', async () => {
    const { stdout } = await run('add', '--params', '@params.json', '--model', '7', '--mode', 'task')
    expect(JSON.parse(stdout)).toMatchObject({ y: 9, model: '7' })
  })

  it('takes its input from standard input', async () => {
    const child = Bun.spawn(commandLine('run', 'add', '--params', '-', '--json'), {
      cwd: project.directory,
      stdin: new Blob(['{"x":3}']),
      stdout: 'pipe',
    })
    expect(JSON.parse(await new Response(child.stdout).text())).toMatchObject({ y: 8 })
    expect(await child.exited).toBe(0)
  })

  it.each([
    [['--input', 'sound=@sound.wav'], { bytes: 4, note: null }],
    [['--input', '@sound.wav'], { bytes: 4, note: null }],
    [['--params', '{"note":"a"}', '--input', 'sound=@sound.wav'], { bytes: 4, note: 'a' }],
    [['--input', 'sound=@params.json;type=audio/wav'], { bytes: 7, note: null }],
  ])('takes files: %j', async (args, answer) => {
    const { code, stdout, stderr } = await run('weigh', ...args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual(answer)
  })

  it('fills the path and the query of an edge function', async () => {
    const { stdout, stderr } = await run('greet/[name]', '--params', '{"name":"a b","loud":true}')
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual({ name: 'a b', loud: 'true' })
  })

  it('writes a stream line by line, and a file as its bytes', async () => {
    expect((await run('stream')).stdout).toBe('1\n{"a":2}\n')
    expect((await run('draw')).stdout).toBe('<svg/>')
  })

  it('spares a terminal the bytes of a file', async () => {
    await using running = startOnTerminal(project, 'run', 'draw')
    expect(await running.ended).toBe(0)
    expect(running.stdout()).toMatch(/^6 B of image\/svg\+xml are nothing for a terminal/)
    expect(running.stdout()).not.toContain('<svg/>')
  })

  it('survives a function that ends its process', async () => {
    const { code, stdout, stderr } = await run('die', '--json')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(JSON.parse(stderr.trim().split('\n').at(-1) ?? '').error.code).toBe('REPLICA_CRASHED')
  })

  it.each([
    [['ad'], 'did you mean "add"?'],
    [['add', '--params', '{'], 'are no JSON'],
    [['add', '--params', '{"x":"a"}'], 'does not fit'],
    [['add'], 'does not fit'],
    [['weigh', '--input', 'sound=@params.json'], 'sound'],
    [['weigh', '--input', 'sound'], 'field=@path'],
    [['add', '--mode', 'elsewhere'], 'local, task, job, remote'],
    [['add', '--timeout-ms', '0'], 'whole number'],
    [['add', '--mode', 'job', '--params', '[]'], 'must be an object'],
    [['say', '--mode', 'job', '--port', '0'], 'unknown option'],
    [[], 'missing required argument'],
  ])('refuses %j with 2', async (args, advice) => {
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(advice)
  })

  it('ends with 1 where the call fails', async () => {
    const { code, stderr } = await run('add', '--params', '{"x":1}', '--model', 'none', '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stderr).error.code).toBe('MODEL_NOT_FOUND')
  })
})
