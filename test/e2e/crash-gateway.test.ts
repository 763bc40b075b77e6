import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addConstantModel } from '../support/onnx-models.ts'
import { descendantsOf, startServer, type TestProject, until } from '../support/server.ts'
import { expectGone, makeCrashProject, replicasOf, startMixedLoad } from './crash-project.ts'

/** Takes the thread of its runner for good: while it answers, or while its model loads. */
const busy = `
import { Type } from '@sinclair/typebox'
import { appendFileSync } from 'node:fs'
import { defineInference, multiplexed } from 'isoplex'

const spin = (file) => {
  appendFileSync(file, 'begun')
  for (;;);
}
export default defineInference({
  access: 'public',
  input: Type.Object({ file: Type.String(), where: Type.String() }),
  model: multiplexed((info) => { if (info.id === 'spins') spin(process.cwd() + '/begun') }, { default: 'one' }),
  infer: ({ file, where }) => spin(file),
})
`

/** A file whose import does not end. */
const endless = `
import { appendFileSync } from 'node:fs'
appendFileSync(process.cwd() + '/begun', 'begun')
for (;;);
`

let project: TestProject

beforeEach(async () => {
  project = await makeCrashProject({
    'functions/busy.ts': busy,
    'functions/_models/spins/model.onnx': addConstantModel(2),
  })
})
afterEach(() => project[Symbol.asyncDispose]())

function runDirectoriesOf(pid: number): string[] {
  return readdirSync(tmpdir()).filter((name) => new RegExp(`^isoplex-\\d+-${pid}-`).test(name))
}

describe('a gateway that is killed', () => {
  it('leaves no process and nothing in the way of the next start', async () => {
    const server = await startServer(project, 'serve')
    const load = startMixedLoad(server)
    await until(() => load.answered > 20)
    const descendants = await descendantsOf(server.pid)
    expect(descendants.length).toBeGreaterThanOrEqual(2)
    expect(await server.end('SIGKILL')).toBe('SIGKILL')
    await expectGone(descendants)
    await load.stop()
    expect(runDirectoriesOf(server.pid)).toHaveLength(1)

    await using next = await startServer(project, 'serve', ['--port', new URL(server.url).port])
    expect(next.url).toBe(server.url)
    expect((await next.call('/add', { json: { x: 4 } })).json).toEqual({ y: 5 })
    expect(runDirectoriesOf(server.pid)).toEqual([])
    expect(runDirectoriesOf(next.pid)).toHaveLength(1)
  })

  it.each([
    ['are idle', null],
    ['are in a busy loop', 'request'],
    ['load a model that blocks', 'load'],
  ])('takes its replicas along while they %s', async (_, where) => {
    await using server = await startServer(project, 'serve', ['--replicas', '2'])
    const file = join(project.directory, 'begun')
    await until(async () => (await replicasOf(server)).length === 3)
    const token = await server.token(where === 'load' ? 'spins' : 'one')
    if (where !== null) {
      void server.call('/busy', { json: { file, where }, token }).catch(() => undefined)
      await until(() => Bun.file(file).exists())
    }
    const descendants = await descendantsOf(server.pid)
    await server.end('SIGKILL')
    await expectGone(descendants)
  })

  it('takes its builder along, in the middle of an import that does not end', async () => {
    await using server = await startServer(project, 'dev')
    await project.write('functions/endless.ts', endless)
    await until(() => Bun.file(join(project.directory, 'begun')).exists())
    const descendants = await descendantsOf(server.pid)
    const builders = await new Response(
      Bun.spawn(['ps', '-o', 'args=', '--ppid', String(server.pid)], { stdout: 'pipe' }).stdout,
    ).text()
    expect(builders).toContain('entry/builder.ts')
    await server.end('SIGKILL')
    await expectGone(descendants)
  })
})
