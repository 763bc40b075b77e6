import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FunctionManifest } from '../../../runtime/build/manifest.ts'
import {
  readStaticPage,
  removeStaticPage,
  type StaticPageOptions,
  writeStaticPage,
} from '../../../runtime/server/page/static-page.ts'
import { sampleFunction } from '../../build/manifest-samples.ts'
import { createScratch, type Scratch } from '../../model/scratch.ts'
import { nameFor, writeAssets } from './page-samples.ts'

let scratch: Scratch
let options: StaticPageOptions

beforeEach(async () => {
  scratch = await createScratch()
  options = {
    functions: [sampleFunction('server-only'), await functionOf('first')],
    bundlesDirectory: scratch.path('bundles'),
    assets: await writeAssets(scratch),
    compressedDirectory: scratch.path('compressed'),
    directory: scratch.path('browser'),
  }
})
afterEach(() => scratch[Symbol.asyncDispose]())

/** A function that runs in browsers, with its bundle. */
async function functionOf(code: string): Promise<FunctionManifest> {
  const bundle = nameFor('fn.browser', code)
  await scratch.write(join('bundles', bundle), code)
  return sampleFunction('fn', { runs: ['server', 'browser'], browser: { bundle } })
}

describe('writeStaticPage', () => {
  it('writes every file under its name, the client also under a plain one, and the list of them', async () => {
    await writeStaticPage(options)
    const { assets, functions } = options
    const bundle = functions[1]?.browser?.bundle ?? ''
    expect(await scratch.list('browser')).toEqual(
      [...assets.files, bundle, 'client.js', 'index.json'].toSorted(),
    )
    const client = await readFile(scratch.path('browser', assets.names.client ?? ''), 'utf8')
    expect(await readFile(scratch.path('browser/client.js'), 'utf8')).toBe(client)
    const page = await readStaticPage(options.directory, functions)
    expect(page?.index.functions.fn?.bundle).toBe(bundle)
    expect(page?.text).toBe(await readFile(scratch.path('browser/index.json'), 'utf8'))
  })

  it('puts compressed forms beside the files where there are some', async () => {
    const client = options.assets.names.client ?? ''
    await scratch.write(`compressed/${client}.gz`, gzipSync('client'))
    await scratch.write('compressed/other-0123456789abcdef.js.br', 'x')
    await writeStaticPage(options)
    expect((await scratch.list('browser')).filter((name) => /\.(?:br|gz)$/.test(name))).toEqual(
      [`${client}.gz`, 'client.js.gz'].toSorted(),
    )
    await writeStaticPage({ ...options, compressedDirectory: null })
    expect((await scratch.list('browser')).filter((name) => /\.(?:br|gz)$/.test(name))).toEqual([])
  })

  it('removes what earlier builds wrote and nothing else', async () => {
    await writeStaticPage(options)
    const old = options.functions[1]?.browser?.bundle ?? ''
    await scratch.write(`browser/${old}.br`, 'x')
    await scratch.write('browser/favicon.ico', 'x')
    await writeStaticPage({ ...options, functions: [await functionOf('second')] })
    const names = await scratch.list('browser')
    expect(names.filter((name) => name.startsWith(old))).toEqual([])
    expect(names).toContain('favicon.ico')
    await removeStaticPage(options.directory)
    expect(await scratch.list('browser')).toEqual(['favicon.ico'])
  })
})

describe('readStaticPage', () => {
  beforeEach(() => writeStaticPage(options))

  it('wants no files where no function runs in browsers', async () => {
    expect(await readStaticPage(scratch.path('nowhere'), [sampleFunction('a')])).toBeNull()
  })

  it.each<[what: string, damage: () => Promise<unknown>, reason: RegExp]>([
    [
      'no list',
      () => rm(scratch.path('browser/index.json')),
      /index\.json is not of a whole build \(it cannot be read\)/,
    ],
    ['a list that is no JSON', () => writeFile(scratch.path('browser/index.json'), '{'), /it is no JSON/],
    [
      'a list of something else',
      () => writeFile(scratch.path('browser/index.json'), '{"files":[1]}'),
      /no list of files/,
    ],
    [
      'null for a list',
      () => writeFile(scratch.path('browser/index.json'), 'null'),
      /is not of a whole build/,
    ],
    [
      'a file that was cut short',
      () => writeFile(scratch.path('browser', options.assets.names.wasmWasm ?? ''), 'x'),
      /wasmWasm-\w+\.wasm is not of a whole build \(it is missing, or was changed or cut short\)/,
    ],
    [
      'a file that is missing',
      () => rm(scratch.path('browser', options.assets.names.worker ?? '')),
      /worker-\w+\.js is not of a whole build/,
    ],
    [
      'a name that climbs out',
      async () => {
        const text = await readFile(scratch.path('browser/index.json'), 'utf8')
        const worker = options.assets.names.worker ?? ''
        await writeFile(scratch.path('browser/index.json'), text.replaceAll(worker, `../assets/${worker}`))
      },
      /is not of a whole build/,
    ],
  ])('refuses a folder with %s', async (_, damage, reason) => {
    await damage()
    const reading = readStaticPage(options.directory, options.functions)
    await expect(reading).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(reason),
    })
  })

  it('refuses a folder that was written for other bundles', async () => {
    const reading = readStaticPage(options.directory, [await functionOf('another')])
    await expect(reading).rejects.toThrow(/fn\.browser-\w+\.js is not in it/)
  })
})
