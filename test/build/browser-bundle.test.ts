import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Builder } from '../../runtime/build/build.ts'
import { hashOfBundleName } from '../../runtime/build/bundle-folder.ts'
import { hashText } from '../../runtime/build/content-hash.ts'
import { setUpScene } from './scene.ts'

/** The text of a function that runs in both places and answers with what a helper exports. */
const helped = `import { defineFunction } from 'isoplex'
import { help } from './_help.ts'
export default defineFunction({ access: 'public', runs: ['server', 'browser'], handler: () => help })
`

async function browserBundleOf(builder: Builder): Promise<{ name: string; code: string }> {
  const { functions, broken } = await builder.build()
  expect(broken).toEqual([])
  const name = functions[0]?.browser?.bundle ?? ''
  return { name, code: await readFile(join(builder.bundlesDirectory, name), 'utf8') }
}

describe('a function that runs in browsers', () => {
  it('is bundled once more, with its packages, under a name that holds the hash of its content', async () => {
    const { builder } = await setUpScene({
      'functions/a.ts': helped,
      'functions/_help.ts': `import { word } from 'words'\nexport const help = word\n`,
      'node_modules/words/package.json': '{ "name": "words", "type": "module", "exports": "./index.js" }',
      'node_modules/words/index.js': `export const word = 'from the package'\n`,
    })
    const { name, code } = await browserBundleOf(builder)
    expect(name).toMatch(/^a\.browser-[0-9a-f]{16}\.js$/)
    expect(hashOfBundleName(name)).toBe(hashText(code))
    expect(new Bun.Transpiler({ loader: 'js' }).scanImports(code)).toEqual([])
    expect(code).toContain('from the package')
    expect(code).not.toContain('sourceMappingURL')
    expect(code.split('\n').length).toBeLessThan(80)
    const [fn] = (await builder.build()).functions
    expect(fn?.sources).toEqual(['functions/_help.ts', 'functions/a.ts'])
  })

  it('gets another name with its content and only then, and is removed two builds later', async () => {
    const { project, builder } = await setUpScene({
      'functions/a.ts': helped,
      'functions/_help.ts': 'export const help = 1\n',
    })
    const first = await browserBundleOf(builder)
    expect((await browserBundleOf(project.builder({ stateDirectory: 'other' }))).name).toBe(first.name)
    await project.write({ 'functions/_help.ts': 'export const help = 2\n' })
    const second = await browserBundleOf(builder)
    expect(second.name).not.toBe(first.name)
    expect(await readdir(builder.bundlesDirectory)).toContain(first.name)
    await project.write({ 'functions/_help.ts': 'export const help = 3\n' })
    await browserBundleOf(builder)
    const names = await readdir(builder.bundlesDirectory)
    expect(names).not.toContain(first.name)
    expect(names).toContain(second.name)
  })

  it('can be read and has a source map of its own files while somebody develops', async () => {
    const { builder } = await setUpScene(
      { 'functions/a.ts': helped, 'functions/_help.ts': 'export const help = 1\n' },
      { mode: 'development' },
    )
    const { code } = await browserBundleOf(builder)
    const [, encoded = ''] = code.split('//# sourceMappingURL=data:application/json;base64,')
    const { sources } = JSON.parse(Buffer.from(encoded, 'base64').toString())
    expect(sources).toContain('isoplex:///functions/_help.ts')
    expect(
      sources.filter((source: string) => !source.startsWith('isoplex:///') || source.includes('..')),
    ).toEqual([])
    expect(code).toContain('var help = 1;')
  })

  it('depends on what browsers alone get of it', async () => {
    const { project, builder } = await setUpScene({
      'package.json':
        '{ "name": "project", "imports": { "#ink": { "browser": "./page.ts", "default": "./host.ts" } } }',
      'functions/a.ts': helped,
      'functions/_help.ts': `export { ink as help } from '#ink'\n`,
      'page.ts': `export const ink = 'blue'\n`,
      'host.ts': `import { readFileSync } from 'node:fs'\nexport const ink = typeof readFileSync\n`,
    })
    const first = await browserBundleOf(builder)
    expect(first.code).toContain('blue')
    expect(builder.sources.has('page.ts')).toBe(true)
    await project.write({ 'page.ts': `export const ink = 'green'\n` })
    expect((await browserBundleOf(builder)).code).toContain('green')
  })

  it('is not bundled for browsers unless it says so', async () => {
    const { builder } = await setUpScene({
      'functions/a.ts': helped.replace(`, 'browser'`, ''),
      'functions/_help.ts': `import { readFileSync } from 'node:fs'\nexport const help = typeof readFileSync\n`,
    })
    const { functions, broken } = await builder.build()
    expect(broken).toEqual([])
    expect(functions[0]?.browser).toBeUndefined()
  })

  it.each<[what: string, code: string, reason: RegExp]>([
    [
      'a package that is not there',
      `export const word = () => import('not-installed')`,
      /^It cannot be bundled for browsers: Could not resolve.*not-installed/,
    ],
    [
      'a file that would have to lie beside it',
      `export const word = () => import('./picture.png')`,
      /^It cannot be bundled for browsers: "\.\/picture\.png" cannot be part of a bundle/,
    ],
  ])('is refused for a package of it that imports %s', async (_, code, reason) => {
    const { builder } = await setUpScene({
      'functions/a.ts': helped,
      'functions/_help.ts': `import { word } from 'words'\nexport const help = typeof word\n`,
      'node_modules/words/package.json': '{ "name": "words", "type": "module", "exports": "./index.js" }',
      'node_modules/words/index.js': `${code}\n`,
      'node_modules/words/picture.png': 'not really',
    })
    const { functions, broken } = await builder.build()
    expect(functions).toEqual([])
    expect(broken[0]).toMatchObject({
      place: { file: 'node_modules/words/index.js', line: 1 },
      reason: expect.stringMatching(reason),
    })
  })

  it('keeps its last good bundles while it imports what only a server has', async () => {
    const { project, builder } = await setUpScene({
      'functions/a.ts': helped,
      'functions/_help.ts': 'export const help = 1\n',
    })
    const good = await browserBundleOf(builder)
    await project.write({
      'functions/_help.ts': `\nimport { cpus } from 'node:os'\nexport const help = cpus\n`,
    })
    const { functions, broken } = await builder.build()
    expect(functions[0]?.browser?.bundle).toBe(good.name)
    expect(await readdir(builder.bundlesDirectory)).toContain(good.name)
    expect(broken).toEqual([
      {
        file: 'functions/a.ts',
        place: { file: 'functions/_help.ts', line: 2, column: 22 },
        reason:
          'It cannot run in a browser: functions/a.ts > functions/_help.ts > node:os, which only a server has. ' +
          `Import what runs in both, or leave 'browser' out of "runs".`,
        served: true,
      },
    ])
    await project.write({ 'functions/_help.ts': 'export const help = 1\n' })
    expect(await browserBundleOf(builder)).toEqual(good)
  })
})
