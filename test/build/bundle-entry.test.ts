import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bundleEntryOf, functionFilesOf, isFileInput } from '../../runtime/build/bundle-entry.ts'
import type { Definition } from '../../runtime/define/definition.ts'
import { constantFunction } from './project.ts'
import { setUpScene } from './scene.ts'

const directories = { projectDirectory: '/project', functionsDirectory: '/project/functions' }
const entry = { file: 'functions/a.ts', functionFile: 'a.ts' }

it('finds the other function files among what went into a bundle', () => {
  const inputs = [
    'functions/ocr/index.ts',
    'functions/a.ts',
    'functions/_lib/help.ts',
    'functions/b.test.ts',
    'functions/b.ts',
    'lib/c.ts',
    'node_modules/d/index.js',
  ]
  expect(functionFilesOf(inputs, entry, directories)).toEqual([
    { file: 'functions/b.ts', functionFile: 'b.ts' },
    { file: 'functions/ocr/index.ts', functionFile: 'ocr/index.ts' },
  ])
})

it('is the file itself where that imports no other function', () => {
  expect(bundleEntryOf(entry, [], '/project')).toEqual({ entrypoint: '/project/functions/a.ts', plugins: [] })
  expect(isFileInput('functions/a.ts')).toBe(true)
})

const caller = (options = '') => `import { defineFunction } from 'isoplex'
import other from './other.ts'
import { help } from './_help.ts'
export const functions = 'mine'
export default defineFunction({ ${options} access: 'public', handler: ({ handle }) => handle(other).infer(help) })
`

describe('a function that imports another one', () => {
  const files = {
    'functions/caller.ts': caller(),
    'functions/other.ts': constantFunction('other'),
    'functions/_help.ts': `import './third.ts'\nexport const help = undefined\n`,
    'functions/third.ts': constantFunction('third').replace('{ access', "{ name: 'named', access"),
  }

  it('exports it under the name of its file, and its manifest names it', async () => {
    const { builder } = await setUpScene(files)
    const { functions, broken } = await builder.build()
    expect(broken).toEqual([])
    const [manifest, , ...others] = functions
    expect(manifest).toMatchObject({ name: 'caller', calls: ['other', 'named'] })
    expect(manifest?.sources).toEqual(Object.keys(files).toSorted())
    for (const other of others) expect(other).not.toHaveProperty('calls')
    const module: { functions: [string, Definition][]; default: Definition } = await import(
      join(builder.bundlesDirectory, manifest?.bundle ?? '')
    )
    expect(module.default.kind).toBe('function')
    expect(module.functions).toEqual([
      ['other', expect.objectContaining({ kind: 'function' })],
      ['third', expect.objectContaining({ name: 'named' })],
    ])
  })

  it('has its own places in its source map, and none of this host', async () => {
    const { project, builder } = await setUpScene(files)
    const [manifest] = (await builder.build()).functions
    const code = await Bun.file(join(builder.bundlesDirectory, manifest?.bundle ?? '')).text()
    const [, map = ''] = code.split('base64,')
    const text = Buffer.from(map, 'base64').toString()
    expect(JSON.parse(text).sources).toContain('../../functions/caller.ts')
    expect(text).not.toContain(project.directory)
    expect(code).not.toContain(project.directory)
  })

  it('is built again when that changes, and no longer has it once it is private', async () => {
    const { project, builder } = await setUpScene(files)
    const [first] = (await builder.build()).functions
    await project.write({ 'functions/other.ts': constantFunction('another') })
    const [second] = (await builder.build(['functions/other.ts'])).functions
    expect(second?.bundle).not.toBe(first?.bundle)
    await project.write({
      'functions/_other.ts': constantFunction('other'),
      'functions/caller.ts': caller().replace('./other.ts', './_other.ts'),
    })
    const [third] = (await builder.build()).functions
    expect(third).toMatchObject({ name: 'caller', calls: ['named'] })
  })

  it('exports it for browsers as well', async () => {
    const { builder } = await setUpScene({
      ...files,
      'functions/caller.ts': caller("runs: ['server', 'browser'],"),
    })
    const { functions, broken } = await builder.build()
    expect(broken).toEqual([])
    const module: { functions: [string, unknown][] } = await import(
      join(builder.bundlesDirectory, functions[0]?.browser?.bundle ?? '')
    )
    expect(module.functions.map(([name]) => name)).toEqual(['other', 'third'])
  })

  it('may be imported by it in turn, and need not define one', async () => {
    const { builder } = await setUpScene({
      'functions/caller.ts': caller(),
      'functions/other.ts': `import './caller.ts'\n${constantFunction('other')}`,
      'functions/_help.ts': `export { help } from './helping.ts'\n`,
      'functions/helping.ts': 'export const help = undefined\n',
    })
    const { functions, broken } = await builder.build()
    expect(functions).toMatchObject([
      { name: 'caller', calls: ['other'] },
      { name: 'other', calls: ['caller'] },
    ])
    expect(broken).toMatchObject([{ file: 'functions/helping.ts' }])
  })
})
