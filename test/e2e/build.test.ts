import { cp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, startServer, type TestProject, until } from '../support/server.ts'

/** A function that says where its own code comes from, and throws where it is told to. */
const telling = `import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'
import { word } from './_lib/word.ts'
export default defineFunction({
  access: 'public',
  query: Type.Object({ fail: Type.Boolean({ default: false }) }),
  handler({ query }) {
    if (query.fail) throw new Error('It was told to.')
    return { text: word }
  },
})
`

describe('isoplex build and isoplex serve --build', () => {
  let project: TestProject
  let copy: TestProject

  beforeAll(async () => {
    project = await makeProject({
      'functions/add.ts': adding,
      'functions/tell.ts': telling,
      'functions/_lib/word.ts': `export const word = 'from the source'\n`,
    })
    const { code, stderr } = await project.run('build', '--out', 'dist')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    copy = await makeProject({ 'functions/_models/five/model.onnx': addConstantModel(5) })
    await cp(join(project.directory, 'dist'), join(copy.directory, 'dist'), { recursive: true })
  })
  afterAll(async () => {
    await project[Symbol.asyncDispose]()
    await copy[Symbol.asyncDispose]()
  })

  it('serve the same functions where their sources are not, with the models that are', async () => {
    await using server = await startServer(copy, 'serve', ['--build', 'dist', '--replicas', '1'])
    expect((await server.call('/tell')).json).toEqual({ text: 'from the source' })
    const token = await server.token('five')
    expect((await server.call('/add', { json: { x: 1 }, token })).json).toMatchObject({ y: 6, version: '1' })
    expect((await server.call('/-/routes')).json.routes).toMatchObject([
      { name: 'add', file: 'functions/add.ts' },
      { name: 'tell', file: 'functions/tell.ts' },
    ])
    expect(await readdir(join(copy.directory, '.isoplex'))).not.toContain('builds')
  })

  it('name the source file in which a function fails', async () => {
    await using server = await startServer(copy, 'serve', ['--build', 'dist', '--replicas', '1'])
    expect((await server.call('/tell?fail=true')).status).toBe(500)
    await until(() => /It was told to\..*functions\/tell\.ts:8:/s.test(server.log()))
  })

  it('refuse a build with a bundle that is missing or was changed', async () => {
    const bundles = join(copy.directory, 'broken/bundles')
    await cp(join(copy.directory, 'dist'), join(copy.directory, 'broken'), { recursive: true })
    const [bundle = ''] = await readdir(bundles)
    await copy.write(`broken/bundles/${bundle}`, 'export default 1\n')
    const changed = await copy.run('serve', '--build', 'broken', '--port', '0')
    expect(changed).toMatchObject({ code: 1, stdout: '' })
    expect(changed.stderr).toMatch(new RegExp(`${bundle} is not a whole build .*changed or cut short`))
    await rm(join(bundles, bundle))
    const missing = await copy.run('serve', '--build', 'broken', '--port', '0', '--json')
    expect(missing).toMatchObject({ code: 1, stdout: '' })
    expect(JSON.parse(missing.stderr).error).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/the bundle cannot be read/),
    })
  })
})
