import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../support/command.ts'
import { saying } from '../support/function-files.ts'
import { makeProject, type TestProject } from '../support/server.ts'

describe('isoplex build', () => {
  let project: TestProject

  beforeAll(async () => {
    project = await makeProject({ 'functions/hello.ts': saying('hello') })
  })
  afterAll(() => project[Symbol.asyncDispose]())

  it('writes manifest and bundles into a folder, and says where', async () => {
    const { code, stdout, stderr } = await runCommand(project, 'build')
    const directory = join(project.directory, 'dist')
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: `1 function compiled into ${directory}\n`,
      stderr: '',
    })
    const manifest = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8'))
    expect(await readdir(join(directory, 'bundles'))).toEqual([manifest.functions[0].bundle])
    const types = await readFile(join(project.directory, '.isoplex/routes.d.ts'), 'utf8')
    expect(types).toContain('readonly "hello": typeof import("../functions/hello.ts").default')
  })

  it('writes where it is told, and says to programs what', async () => {
    const { code, stdout } = await runCommand(project, 'build', '--out', 'out/here', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      directory: join(project.directory, 'out/here'),
      functions: [{ name: 'hello', bundle: expect.stringMatching(/^hello-[0-9a-f]{16}\.js$/) }],
      browser: [],
      version: null,
    })
  })

  it('refuses to build what is broken, and leaves the build before as it was', async () => {
    await using other = await makeProject({ 'functions/a.ts': saying('a') })
    await runCommand(other, 'build')
    const before = await readdir(join(other.directory, 'dist/bundles'))
    await other.write('functions/a.ts', `import './nowhere.ts'\n${saying('b')}`)
    await other.write('functions/b.ts', saying('b'))
    const { code, stdout, stderr } = await runCommand(other, 'build')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^isoplex: Nothing was written.*\nfunctions\/a\.ts:1:\d+: .*nowhere/m)
    expect(await readdir(join(other.directory, 'dist/bundles'))).toEqual(before)
  })
})
