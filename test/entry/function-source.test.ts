import { mkdir, readdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeOutput } from '../../runtime/build/output.ts'
import {
  type FunctionSource,
  openFunctionSource,
  type SourceOptions,
} from '../../runtime/entry/function-source.ts'
import { saying } from '../support/function-files.ts'
import { makeProject, type TestProject } from '../support/server.ts'

describe('openFunctionSource', () => {
  let project: TestProject
  let options: SourceOptions

  beforeEach(async () => {
    project = await makeProject({ 'functions/hello.ts': saying('hello') })
    options = {
      projectDirectory: project.directory,
      functionsDirectory: join(project.directory, 'functions'),
      stateDirectory: join(project.directory, '.isoplex'),
      mode: 'serve',
      environment: { PATH: process.env.PATH ?? '' },
    }
  })
  afterEach(() => project[Symbol.asyncDispose]())

  const builds = (): Promise<string[]> => readdir(join(options.stateDirectory, 'builds'))
  const bundlesOf = async (source: FunctionSource): Promise<string[]> =>
    (await readdir(source.bundlesDirectory)).toSorted()

  it('compiles the functions, follows their changes, and leaves nothing behind', async () => {
    const source = await openFunctionSource(options)
    const first = await source.read()
    expect(first.functions.map(({ name }) => name)).toEqual(['hello'])
    expect(await bundlesOf(source)).toEqual(first.functions.map(({ bundle }) => bundle))
    expect([...source.sources.keys()]).toContain('functions/hello.ts')
    expect(await source.read([])).toBe(first)
    await project.write('functions/hello.ts', saying('good day'))
    const second = await source.read(['functions/hello.ts'])
    expect(second.functions[0]?.bundle).not.toBe(first.functions[0]?.bundle)
    await source[Symbol.asyncDispose]()
    expect(await builds()).toEqual([])
  })

  it('keeps its bundles from what others make of another state of the files', async () => {
    await using serving = await openFunctionSource(options)
    await serving.read()
    const before = await bundlesOf(serving)
    await project.write('functions/hello.ts', saying('good day'))
    {
      await using other = await openFunctionSource(options)
      await other.read()
      await project.write('functions/hello.ts', saying('good night'))
      await other.read()
    }
    expect(await bundlesOf(serving)).toEqual(before)
  })

  it('sweeps out what processes left that have died, and nothing of those that live', async () => {
    const dead = Bun.spawn(['true'])
    await dead.exited
    const left = `${dead.pid}..some-id.${hostname()}`
    await mkdir(join(options.stateDirectory, 'builds', left), { recursive: true })
    await using living = await openFunctionSource(options)
    expect(await builds()).toHaveLength(1)
    await using other = await openFunctionSource(options)
    expect(await builds()).toHaveLength(2)
    expect(other.bundlesDirectory).not.toBe(living.bundlesDirectory)
  })

  it('serves what was built before without compiling', async () => {
    const buildDirectory = join(project.directory, 'dist')
    await using compiled = await openFunctionSource(options)
    const manifest = await compiled.read()
    await writeOutput({
      manifest,
      bundlesDirectory: compiled.bundlesDirectory,
      outputDirectory: buildDirectory,
    })
    await rm(options.functionsDirectory, { recursive: true })
    await using source = await openFunctionSource({ ...options, buildDirectory })
    expect((await source.read()).functions).toEqual(manifest.functions)
    expect(source.bundlesDirectory).toBe(join(buildDirectory, 'bundles'))
    expect([...source.sources]).toEqual([])
  })

  it('refuses a folder that holds no build', async () => {
    const buildDirectory = join(project.directory, 'functions')
    await expect(openFunctionSource({ ...options, buildDirectory })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    })
  })
})
