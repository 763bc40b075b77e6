import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bundleNameOf } from '../../runtime/build/bundle-folder.ts'
import { hashText } from '../../runtime/build/content-hash.ts'
import type { FunctionManifest, Manifest } from '../../runtime/build/manifest.ts'
import { readManifest, writeOutput } from '../../runtime/build/output.ts'
import { sampleFunction } from './manifest-samples.ts'
import { createProject, type TestProject } from './project.ts'

let project: TestProject

beforeEach(async () => {
  project = await createProject()
})

afterEach(() => project[Symbol.asyncDispose]())

const directory = (name: string) => join(project.directory, name)
const write = (manifest: Manifest) =>
  writeOutput({ manifest, bundlesDirectory: directory('bundles'), outputDirectory: directory('dist') })

/** A function whose bundle holds a text. */
async function functionWithBundle(name: string, code: string): Promise<FunctionManifest> {
  const bundle = bundleNameOf(`${name}.ts`, hashText(code))
  await project.write({ [`bundles/${bundle}`]: code })
  return sampleFunction(name, { bundle })
}

async function manifestOf(...names: readonly string[]): Promise<Manifest> {
  return { functions: await Promise.all(names.map((name) => functionWithBundle(name, name))), broken: [] }
}

describe('writeOutput', () => {
  it('writes what readManifest reads, and nothing else', async () => {
    const manifest = await manifestOf('a', 'b/c')
    await write(manifest)
    expect(await readManifest(directory('dist'))).toEqual({
      manifest,
      bundlesDirectory: directory('dist/bundles'),
    })
    expect((await readdir(directory('dist'))).toSorted()).toEqual(['bundles', 'manifest.json'])
  })

  it('writes a real build that is read back', async () => {
    await project.write({
      'functions/a.ts': `import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'
const input = Type.Recursive((self) => Type.Object({ next: Type.Optional(self) }))
export default defineFunction({ input, handler: () => 1 })
`,
    })
    const builder = project.builder()
    const manifest = await builder.build()
    const outputDirectory = directory('dist')
    await writeOutput({ manifest, bundlesDirectory: builder.bundlesDirectory, outputDirectory })
    expect((await readManifest(outputDirectory)).manifest).toEqual(manifest)
  })

  it('replaces an earlier build and leaves files of others', async () => {
    await write(await manifestOf('a', 'b'))
    await project.write({ 'dist/readme.txt': 'mine', 'dist/bundles/notes.txt': 'mine' })
    await write(await manifestOf('b'))
    const { manifest } = await readManifest(directory('dist'))
    expect(manifest.functions.map(({ name }) => name)).toEqual(['b'])
    expect(await readdir(directory('dist'))).toContain('readme.txt')
    const bundles = await readdir(directory('dist/bundles'))
    expect(bundles.toSorted()).toEqual([manifest.functions[0]?.bundle, 'notes.txt'])
  })

  it('does not replace a manifest.json of something else', async () => {
    await project.write({ 'dist/manifest.json': '{ "name": "Web app" }' })
    await expect(write(await manifestOf('a'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect(await readFile(directory('dist/manifest.json'), 'utf8')).toContain('Web app')
  })

  it('refuses a build with broken functions, and names each with its place', async () => {
    const broken = [
      { file: 'functions/b.ts', place: { file: 'lib/x.ts', line: 3, column: 7 }, reason: 'no', served: true },
      {
        file: 'functions/c.ts',
        place: { file: 'functions/c.ts', line: null, column: null },
        reason: 'never',
        served: false,
      },
    ]
    const outcome = write({ ...(await manifestOf('a')), broken })
    await expect(outcome).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      details: { file: 'lib/x.ts', line: 3 },
    })
    await expect(outcome).rejects.toThrow('lib/x.ts:3:7: no\nfunctions/c.ts: never')
    await expect(readdir(directory('dist'))).rejects.toThrow()
  })
})

describe('readManifest refuses', () => {
  type Edit = (content: { isoplexBuild: unknown; functions: Record<string, unknown>[] }) => void

  /** Changes the written manifest, whose functions are `a` and `b`. */
  async function edit(change: Edit): Promise<void> {
    await write(await manifestOf('a', 'b'))
    const path = directory('dist/manifest.json')
    const content = JSON.parse(await readFile(path, 'utf8'))
    change(content)
    await writeFile(path, JSON.stringify(content))
  }

  it.each<[title: string, change: Edit, message: RegExp]>([
    ['another format', (content) => (content.isoplexBuild = 2), /isoplexBuild/],
    ['no functions', (content) => (content.functions = {} as never), /\/functions/],
    [
      'a bundle elsewhere',
      ({ functions }) => Object.assign(functions[0] ?? {}, { bundle: '../../evil-0123456789abcdef.js' }),
      /\/functions\/0\/bundle/,
    ],
    [
      'a member that it does not know',
      ({ functions }) => Object.assign(functions[0] ?? {}, { extra: 1 }),
      /\/functions\/0\/extra/,
    ],
    ['a member that is missing', ({ functions }) => delete functions[1]?.access, /\/functions\/1\/access/],
    [
      'another path than the route gives',
      ({ functions }) => Object.assign(functions[0] ?? {}, { path: '/-/models' }),
      /has the route \/a, but the path \/-\/models/,
    ],
    [
      'two functions of one name',
      ({ functions }) => Object.assign(functions[0] ?? {}, { name: 'b' }),
      /are both named "b"/,
    ],
    [
      'two functions of one route',
      ({ functions }) => Object.assign(functions[0] ?? {}, { route: '/b', path: '/b' }),
      /claim one route/,
    ],
  ])('%s', async (_, change, message) => {
    await edit(change)
    await expect(readManifest(directory('dist'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await expect(readManifest(directory('dist'))).rejects.toThrow(message)
  })

  it('a folder without a build, or with half of a manifest', async () => {
    await expect(readManifest(directory('nowhere'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await project.write({ 'dist/manifest.json': '{ "isoplexBuild": 1, "func' })
    await expect(readManifest(directory('dist'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('a bundle that is missing or was changed', async () => {
    const manifest = await manifestOf('a')
    await write(manifest)
    const path = directory(`dist/bundles/${manifest.functions[0]?.bundle}`)
    await writeFile(path, 'changed')
    await expect(readManifest(directory('dist'))).rejects.toThrow('was changed or cut short')
    await rm(path)
    await expect(readManifest(directory('dist'))).rejects.toThrow('the bundle cannot be read')
  })
})
