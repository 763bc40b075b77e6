import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { requireOrSkip } from '../support/requirement.ts'
import { makeProject, type Reply, startServer, type TestProject, type TestServer } from '../support/server.ts'

const diskBytes = 40_000_000
const largeBytes = 6_000_000

/** Puts a file system of its own, of some megabytes, at a folder; gives why not, else `null`. */
function mountDisk(folder: string): string | null {
  if (process.platform !== 'linux') return `${process.platform} has no tmpfs`
  if (Bun.which('mount') === null) return 'there is no command mount'
  const command = ['mount', '-t', 'tmpfs', '-o', `size=${diskBytes},mode=0700`, 'tmpfs', folder]
  const { exitCode, stderr } = Bun.spawnSync(command)
  return exitCode === 0 ? null : `a file system cannot be mounted: ${stderr.toString().trim()}`
}

/** A folder that is mounted and let go again says whether the tests can have theirs. */
const absence = await (async () => {
  await using project = await makeProject()
  const reason = mountDisk(project.directory)
  if (reason === null) Bun.spawnSync(['umount', project.directory])
  return reason
})()

describe.runIf(requireOrSkip('tmpfs', absence))('a full disk', () => {
  let project: TestProject
  let server: TestServer
  let state: string

  beforeAll(async () => {
    project = await makeProject({
      'functions/add.ts': adding,
      'functions/_models/small/model.onnx': addConstantModel(5),
      'functions/_models/large/model.onnx': addConstantModel(7, largeBytes),
    })
    state = join(project.directory, '.isoplex')
    await mkdir(state)
    expect(mountDisk(state)).toBeNull()
    server = await startServer(project, 'serve', ['--replicas', '1'])
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    Bun.spawnSync(['umount', state])
    await project[Symbol.asyncDispose]()
  })

  async function callWith(modelId: string): Promise<Reply> {
    const token = await server.token(modelId)
    const reply = await server.call('/add', { json: { x: 1 }, token })
    expect(server.log()).not.toContain(token)
    return reply
  }

  /** Fills the disk until this much is left. */
  async function leaveFree(bytes: number): Promise<void> {
    const { bavail, bsize } = await statfs(state)
    await writeFile(join(state, 'filler'), new Uint8Array(bavail * bsize - bytes))
  }

  it('while a model is unpacked gets 503, leaves nothing behind and goes away with room', async () => {
    await leaveFree(largeBytes / 2)
    const before = await readdir(join(state, 'unpacked'))
    for (const _ of ['at first', 'once more']) {
      const reply = await callWith('large')
      expect(reply).toMatchObject({ status: 503, json: { code: 'STORAGE_FULL', status: 503 } })
      expect(reply.headers.get('content-type')).toBe('application/problem+json')
    }
    expect(await readdir(join(state, 'unpacked'))).toEqual(before)
    expect(await readdir(join(state, 'staging'))).toEqual([])
    expect(await callWith('small')).toMatchObject({ status: 200, json: { y: 6 } })

    await rm(join(state, 'filler'))
    expect(await callWith('large')).toMatchObject({ status: 200, json: { y: 8 } })
  })

  it('while a model is added is told to whoever adds it, and leaves nothing behind', async () => {
    await project.write('more.onnx', addConstantModel(9, largeBytes))
    await leaveFree(largeBytes / 2)
    const artifacts = await readdir(join(state, 'artifacts'))
    const added = await project.run('models', 'add', 'more.onnx', '--id', 'more')
    expect(added.code).toBe(1)
    expect(added.stderr).toMatch(/disk .* is full/)
    expect(await readdir(join(state, 'artifacts'))).toEqual(artifacts)
    expect(await readdir(join(state, 'staging'))).toEqual([])
    expect(await callWith('small')).toMatchObject({ status: 200, json: { y: 6 } })

    await rm(join(state, 'filler'))
    expect(await project.run('models', 'add', 'more.onnx', '--id', 'more')).toMatchObject({ code: 0 })
    expect(await callWith('more')).toMatchObject({ status: 200, json: { y: 10 } })
  })
})
