import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashFile } from '../../../runtime/build/content-hash.ts'
import { openAssets } from '../../../runtime/build/page/asset-process.ts'
import { type AssetSet, assetDirectoryOf, assetOf } from '../../../runtime/build/page/asset-set.ts'
import { hashOfFileName } from '../../../runtime/build/page/file-name.ts'
import { createScratch, type Scratch } from '../../model/scratch.ts'

const environment = { PATH: process.env.PATH ?? '' }
const importsOf = (code: string): readonly string[] =>
  new Bun.Transpiler({ loader: 'js' }).scanImports(code).map(({ path }) => path)

describe('buildAssets, in its process', () => {
  let scratch: Scratch
  let assets: AssetSet
  const open = (mode: 'production' | 'development' = 'production') =>
    openAssets({ set: 'page', mode, pageDirectory: scratch.directory }, { environment })
  const textOf = (name: string) => readFile(join(assets.directory, name), 'utf8')

  beforeAll(async () => {
    scratch = await createScratch()
    assets = await open()
  })
  afterAll(() => scratch[Symbol.asyncDispose]())

  it('builds the files for pages, each named after its content', async () => {
    expect(assets.directory).toBe(assetDirectoryOf(scratch.directory, 'page', 'production'))
    for (const name of assets.files)
      expect(await hashFile(join(assets.directory, name))).toBe(hashOfFileName(name))
    expect(Object.keys(assets.names).sort()).toEqual([
      'client',
      'wasmModule',
      'wasmWasm',
      'webgpuModule',
      'webgpuWasm',
      'worker',
    ])
    expect(assets.files).toEqual(expect.arrayContaining(Object.values(assets.names)))
    expect(assets.onnxVersion).toMatch(/^\d+\.\d+\.\d+/)
  })

  it('lets the worker load either build of ONNX Runtime when it needs it', async () => {
    const worker = await textOf(assetOf(assets, 'worker'))
    const imports = importsOf(worker).map((path) => path.slice(2))
    expect(assets.files).toEqual(expect.arrayContaining(imports))
    expect(imports.filter((name) => /^ort\.(?:webgpu|wasm)\./.test(name))).toHaveLength(2)
    expect(worker).not.toContain('sourceMappingURL')
  })

  it('makes the client one module without imports', async () => {
    expect(importsOf(await textOf(assetOf(assets, 'client')))).toEqual([])
  })

  it('builds nothing again while nothing has changed', async () => {
    const built = await stat(join(assets.directory, assetOf(assets, 'worker')))
    expect(await open()).toEqual(assets)
    expect((await stat(join(assets.directory, assetOf(assets, 'worker')))).ino).toBe(built.ino)
  })

  it.each(['cut short', 'missing'])('builds again where a file is %s', async (damage) => {
    const path = join(assets.directory, assetOf(assets, 'client'))
    await (damage === 'missing' ? rm(path) : writeFile(path, 'export'))
    expect(await open()).toEqual(assets)
    expect(await hashFile(path)).toBe(hashOfFileName(assetOf(assets, 'client')))
  })

  it('removes what another version of isoplex has left', async () => {
    const stale = 'worker-0123456789abcdef.js'
    await writeFile(join(assets.directory, stale), 'old')
    await rm(join(assets.directory, 'assets.json'))
    await open()
    expect(await readdir(assets.directory)).not.toContain(stale)
  })

  it('gives source maps while somebody develops', async () => {
    const { directory, names } = await open('development')
    expect(await readFile(join(directory, names.worker ?? ''), 'utf8')).toContain('sourceMappingURL=data:')
  })
})
