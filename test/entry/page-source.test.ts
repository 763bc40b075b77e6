import { readdir, rm, stat, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hashText } from '../../runtime/build/content-hash.ts'
import { fileNameOf } from '../../runtime/build/page/file-name.ts'
import {
  compressedDirectoryOf,
  PageSource,
  type PageSourceOptions,
  pageDirectoryOf,
} from '../../runtime/entry/page-source.ts'
import { createLogger } from '../../runtime/observe/log.ts'
import { readStaticPage, writeStaticPage } from '../../runtime/server/page/static-page.ts'
import { sampleFunction } from '../build/manifest-samples.ts'
import { createScratch, type Scratch } from '../model/scratch.ts'
import { writeAssets } from '../server/page/page-samples.ts'
import { until } from '../support/server.ts'

let scratch: Scratch
let options: PageSourceOptions

beforeEach(async () => {
  scratch = await createScratch()
  options = {
    mode: 'dev',
    stateDirectory: scratch.directory,
    environment: { PATH: process.env.PATH ?? '' },
    playground: false,
    built: null,
    log: createLogger({ write: () => undefined }),
  }
})
afterEach(() => scratch[Symbol.asyncDispose]())

/** A function that runs in browsers; its bundle holds its name. */
async function functionOf(name: string, text = `${name}\n`.repeat(1_000)) {
  const bundle = fileNameOf(name, hashText(text), 'js')
  await scratch.write(`bundles/${bundle}`, text)
  return sampleFunction(name, { runs: ['server', 'browser'], browser: { bundle } })
}

describe('PageSource', () => {
  it('lists the functions of now, and still finds the bundles of the manifest before', async () => {
    await using source = new PageSource(options)
    const bundles = scratch.path('bundles')
    const [first, second, third] = [await functionOf('a'), await functionOf('b'), await functionOf('c')]
    source.follow([first], bundles)
    const before = JSON.parse((await source.index()) ?? '')
    expect(Object.keys(before.functions)).toEqual(['a'])
    source.follow([second], bundles)
    const after = JSON.parse((await source.index()) ?? '')
    expect(Object.keys(after.functions)).toEqual(['b'])
    expect(after.worker).toBe(before.worker)
    for (const fn of [first, second]) expect(await source.find(fn.browser?.bundle ?? '')).not.toBeNull()
    source.follow([third], bundles)
    expect(await source.find(first.browser?.bundle ?? '')).toBeNull()
  })

  it('finds nothing by names that are not listed', async () => {
    await scratch.write('bundles/secret.js', 'x')
    await using source = new PageSource({ ...options, playground: true })
    source.follow([await functionOf('a')], scratch.path('bundles'))
    for (const name of ['secret.js', '../key', 'constructor', 'x-0123456789abcdef.js', ''])
      expect(await source.find(name)).toBeNull()
  })

  it('finds every file that it lists, and the client whatever its name', async () => {
    await using source = new PageSource(options)
    source.follow([await functionOf('a')], scratch.path('bundles'))
    const { files, client } = JSON.parse((await source.index()) ?? '')
    for (const name of files) {
      const file = await source.find(name)
      expect((await stat(file?.path ?? '')).isFile()).toBe(true)
    }
    expect((await source.client())?.name).toBe(client)
  })

  it('builds nothing until somebody asks, and nothing for a server without pages', async () => {
    await using idle = new PageSource(options)
    idle.follow([await functionOf('a')], scratch.path('bundles'))
    await using serving = new PageSource({ ...options, mode: 'serve' })
    serving.follow([sampleFunction('a')], scratch.path('bundles'))
    expect(await serving.index()).toBeNull()
    expect(await serving.client()).toBeNull()
    expect(await serving.playground()).toBeNull()
    expect(await readdir(scratch.directory)).not.toContain('page')
  })

  it('compresses the files in the background while it serves, and not in dev', async () => {
    const functions = [await functionOf('a')]
    const directory = compressedDirectoryOf(pageDirectoryOf(scratch.directory))
    await using developing = new PageSource(options)
    developing.follow(functions, scratch.path('bundles'))
    await developing.index()
    await using serving = new PageSource({ ...options, mode: 'serve' })
    serving.follow(functions, scratch.path('bundles'))
    const bundle = functions[0]?.browser?.bundle ?? ''
    expect((await serving.find(bundle))?.compressed.br).toBe(`${directory}/${bundle}.br`)
    await serving.index()
    await until(async () => (await readdir(directory).catch((): string[] => [])).includes(`${bundle}.br`))
    expect((await readdir(directory)).some((name) => name.startsWith(`${bundle}.gz`))).toBe(true)
  })

  it('tries again after it could not build', async () => {
    await using source = new PageSource(options)
    source.follow([], scratch.path('bundles'))
    await writeFile(pageDirectoryOf(scratch.directory), 'in the way')
    await expect(source.index()).rejects.toMatchObject({ code: 'INTERNAL' })
    await rm(pageDirectoryOf(scratch.directory))
    expect(await source.index()).not.toBeNull()
  })

  it('serves what was built before as it stands', async () => {
    const functions = [await functionOf('a')]
    const directory = scratch.path('browser')
    await writeStaticPage({
      functions,
      bundlesDirectory: scratch.path('bundles'),
      assets: await writeAssets(scratch),
      compressedDirectory: scratch.path('none'),
      directory,
    })
    const built = await readStaticPage(directory, functions)
    await using source = new PageSource({ ...options, mode: 'serve', built })
    source.follow(functions, scratch.path('bundles'))
    expect(await source.index()).toBe(built?.text)
    for (const name of built?.index.files ?? [])
      expect((await source.find(name))?.path).toBe(`${directory}/${name}`)
    expect((await source.client())?.name).toBe(built?.index.client)
    expect(await source.playground()).toBeNull()
    expect(await readdir(scratch.directory)).not.toContain('page')
  })
})
