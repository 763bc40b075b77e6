import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSelfContained } from '../../runtime/build/self-contained.ts'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { call, makeProject, type TestProject } from '../support/server.ts'

const secret = 'postgres://somebody:password@127.0.0.1/jobs'

describe('a build that stands alone', { timeout: 120_000 }, () => {
  let project: TestProject
  let elsewhere: string

  beforeAll(async () => {
    project = await makeProject(
      {
        'functions/add.ts': adding,
        'functions/_models/five/model.onnx': addConstantModel(5),
        '.env': 'SECRET=1',
      },
      { jobStoreUrl: secret, maxQueuedRequests: 77 },
    )
    elsewhere = await mkdtemp(join(tmpdir(), 'isoplex-alone-'))
    const { code, stderr } = await project.run('build', '--self-contained', '--out', 'alone')
    expect([code, stderr]).toEqual([0, expect.anything()])
    await rename(join(project.directory, 'alone'), join(elsewhere, 'alone'))
  }, 120_000)

  afterAll(async () => {
    await project[Symbol.asyncDispose]()
    await rm(elsewhere, { recursive: true, force: true })
  })

  it('serves with nothing but its folder and the key', async () => {
    const folder = join(elsewhere, 'alone')
    const state = join(elsewhere, 'state')
    await mkdir(state)
    const token = (await project.run('token', '--model', 'five')).stdout.trim()
    await writeFile(join(state, 'key'), await readFile(join(project.directory, '.isoplex/key')), {
      mode: 0o600,
    })
    const words = [
      'node_modules/isoplex/runtime/cli/main.ts',
      'serve',
      '--build',
      '.',
      '--port',
      '0',
      '--json',
    ]
    const child = Bun.spawn(
      [join(folder, 'node_modules/bun/bin/bun.exe'), ...words, '--state-directory', state],
      {
        cwd: folder,
        env: { HOME: elsewhere },
        stdout: 'pipe',
        stderr: 'inherit',
      },
    )
    try {
      let said = ''
      for await (const chunk of child.stdout) {
        said += new TextDecoder().decode(chunk)
        if (said.includes('"listening"')) break
      }
      const { url } = JSON.parse(said.split('\n').find((line) => line.includes('"listening"')) ?? '')
      const { json } = await call(`${String(url).replace(/\/$/, '')}/add`, { json: { x: 2 }, token })
      expect(json).toMatchObject({ y: 7 })
    } finally {
      child.kill()
      await child.exited
    }
  })

  it('holds no key, no environment file and no password', async () => {
    const folder = join(elsewhere, 'alone')
    const key = (await readFile(join(project.directory, '.isoplex/key'), 'utf8')).trim()
    const search = Bun.spawnSync(['grep', '-rlF', '-e', key, '-e', secret, folder])
    expect(search.stdout.toString()).toBe('')
    for (const name of ['.env', '.isoplex', 'key'])
      await expect(stat(join(folder, name))).rejects.toMatchObject({ code: 'ENOENT' })
    expect(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))).toEqual({
      name: 'test-app',
      version: '1.2.3',
      type: 'module',
      isoplex: { maxQueuedRequests: 77 },
    })
  })

  it('has the version of its content', async () => {
    const version = await readSelfContained(join(elsewhere, 'alone'))
    expect(version).toMatch(/^[0-9a-f]{16}$/)
    for (const out of ['again', 'again'])
      expect((await project.run('build', '--self-contained', '--out', out)).code).toBe(0)
    expect(await readSelfContained(join(project.directory, 'again'))).toBe(version)
    await project.write('functions/_models/five/model.onnx', addConstantModel(6))
    await project.run('build', '--self-contained', '--out', 'other')
    expect(await readSelfContained(join(project.directory, 'other'))).not.toBe(version)
  })

  it('does not take the place of packages that somebody has installed', async () => {
    await mkdir(join(project.directory, 'own/node_modules'), { recursive: true })
    const { code, stderr } = await project.run('build', '--self-contained', '--out', 'own')
    expect([code, stderr]).toEqual([1, expect.stringContaining('write to another folder')])
  })

  it('is packed below one folder, as Ray wants it', async () => {
    const { code } = await project.run('build', '--archive', 'build.zip', '--out', 'packed')
    expect(code).toBe(0)
    const list = Bun.spawnSync([
      'python3',
      '-m',
      'zipfile',
      '-l',
      join(project.directory, 'build.zip'),
    ]).stdout.toString()
    const names = list
      .split('\n')
      .slice(1)
      .filter((line) => line !== '')
    expect(names.length).toBeGreaterThan(100)
    expect(names.every((name) => name.startsWith('isoplex/'))).toBe(true)
    expect(list).toMatch(/^isoplex\/isoplex_shim\.py /m)
  })
})
