import { openSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { BuilderOptions } from '../../runtime/build/build.ts'
import { bundlesOf } from '../../runtime/build/bundle-folder.ts'
import type { Manifest } from '../../runtime/build/manifest.ts'
import type { TestProject } from './project.ts'
import { linesOf, printingFunction, type Scene, setUpScene } from './scene.ts'

/** Builds as a new process would, and gives the functions that it has to build. */
type Start = (options?: Partial<BuilderOptions>) => Promise<{ manifest: Manifest; built: readonly string[] }>

/** A project whose files have lain untouched for a while, so that nothing about them is in doubt. */
async function setUp(files: Readonly<Record<string, string>>): Promise<{ scene: Scene; start: Start }> {
  const scene = await setUpScene(files)
  const { project } = scene
  await age(project.directory)
  let starts = 0
  const start: Start = async (options = {}) => {
    starts += 1
    const printed = join(project.directory, '.isoplex', `printed-${starts}`)
    await mkdir(join(project.directory, '.isoplex'), { recursive: true })
    await writeFile(printed, '')
    const outputDescriptor = openSync(printed, 'a')
    await age(project.directory)
    await using builder = project.builder({
      stateDirectory: `.isoplex/builds/${starts}`,
      keepDirectory: join(project.directory, '.isoplex/kept-build'),
      outputDescriptor,
      ...options,
    })
    const manifest = await builder.build()
    const bundles = await readdir(builder.bundlesDirectory)
    expect(bundles).toEqual(expect.arrayContaining(manifest.functions.flatMap(bundlesOf)))
    return { manifest, built: linesOf(await readFile(printed, 'utf8')) }
  }
  return { scene, start }
}

/** Dates the folders of a project back, as if it had been written a minute ago. */
async function age(directory: string): Promise<void> {
  const then = new Date(Date.now() - 60_000)
  const names = await readdir(directory, { withFileTypes: true, recursive: true })
  const folders = names
    .filter((each) => each.isDirectory() && !each.parentPath.includes('.isoplex'))
    .map((each) => join(each.parentPath, each.name))
  for (const folder of [directory, ...folders]) await utimes(folder, then, then)
}

const packaged = (version: string): Readonly<Record<string, string>> => ({
  'node_modules/dependency/package.json': `{ "name": "dependency", "version": "${version}", "type": "module" }`,
  'node_modules/dependency/index.js': 'export const help = 1\n',
})
const pause = (): Promise<void> => Bun.sleep(50)

describe('a start of a project that was built before', () => {
  it('builds nothing where nothing has changed, and serves the same', async () => {
    const { start } = await setUp({
      'functions/a.ts': printingFunction('a', './_help.ts'),
      'functions/_help.ts': 'export const help = 1\n',
      'functions/b.ts': printingFunction('b'),
    })
    const first = await start()
    expect(first.built).toEqual(['a', 'b'])
    const second = await start({ entryPath: '/nowhere/builder.ts' })
    expect(second).toEqual({ manifest: first.manifest, built: [] })
    expect(Object.isFrozen(second.manifest.functions[0]?.sources)).toBe(true)
  })

  it.each<[string, (project: TestProject) => Promise<unknown>, readonly string[]]>([
    ['a function', (project) => project.write({ 'functions/a.ts': `${printingFunction('a')}//\n` }), ['a']],
    ['a helper', (project) => project.write({ 'lib/help.ts': 'export const help = 2\n' }), ['b', 'c']],
    ['a JSON file', (project) => project.write({ 'lib/answer.json': '{ "answer": 2 }' }), ['c']],
    ['a new file', (project) => project.write({ 'functions/d.ts': printingFunction('d') }), ['d']],
    [
      'a file that stands before another',
      (project) => project.write({ 'lib/far.ts': 'export const help = 3\n' }),
      ['c'],
    ],
    [
      'settings of a folder',
      (project) => project.write({ 'lib/package.json': '{ "type": "commonjs" }' }),
      ['b', 'c'],
    ],
    ['the project', (project) => project.write({ 'package.json': '{ "name": "other" }' }), ['a', 'b', 'c']],
    ['what is installed', (project) => project.write({ 'bun.lock': '{}' }), ['a', 'b', 'c']],
    ['a deleted function', (project) => project.remove('functions/a.ts'), []],
  ])('notices %s', async (_, change, concerned) => {
    const { scene, start } = await setUp({
      'functions/a.ts': printingFunction('a'),
      'functions/b.ts': printingFunction('b', '../lib/help.ts'),
      'functions/c.ts': printingFunction('c', '../lib/far'),
      'lib/help.ts': 'export const help = 1\n',
      'lib/far/index.ts': `import { answer } from '../answer.json'\nexport { help } from '../help.ts'\nexport const more = answer\n`,
      'lib/answer.json': '{ "answer": 1 }',
    })
    await start()
    await change(scene.project)
    const changed = await start()
    expect(changed.built).toEqual(concerned)
    const fresh = await start({ keepDirectory: join(scene.project.directory, 'elsewhere') })
    expect(changed.manifest).toEqual(fresh.manifest)
    expect((await start()).built).toEqual([])
  })

  it('notices another version of a package', async () => {
    const { scene, start } = await setUp({
      ...packaged('1.0.0'),
      'functions/a.ts': printingFunction('a', 'dependency'),
      'functions/b.ts': printingFunction('b'),
    })
    await pause()
    expect((await start()).built).toEqual(['a', 'b'])
    expect((await start()).built).toEqual([])
    await scene.project.write(packaged('1.0.1'))
    await pause()
    expect((await start()).built).toEqual(['a'])
    expect((await start()).built).toEqual([])
  })

  it('keeps bundles for browsers, and notices another version of a package in them', async () => {
    const { scene, start } = await setUp({
      ...packaged('1.0.0'),
      'functions/a.ts': printingFunction('a', 'dependency').replace(
        'access:',
        `runs: ['server', 'browser'], access:`,
      ),
    })
    await pause()
    const first = await start()
    expect(first.built).toEqual(['a'])
    expect(first.manifest.functions[0]?.browser?.bundle).toMatch(/^a\.browser-/)
    expect(await start({ entryPath: '/nowhere/builder.ts' })).toEqual({ manifest: first.manifest, built: [] })
    const developing = await start({ mode: 'development' })
    expect(developing.built).toEqual(['a'])
    await start()
    await scene.project.write(packaged('1.0.1'))
    await pause()
    expect((await start()).built).toEqual(['a'])
  })

  it('notices another environment', async () => {
    const { start } = await setUp({ 'functions/a.ts': printingFunction('a') })
    await start()
    expect((await start({ environment: { PATH: '/bin', LIMIT: '1' } })).built).toEqual(['a'])
  })

  it.each(['truncated', 'foreign', 'without bundles', 'with a changed bundle'])(
    'builds anew where what was kept is %s',
    async (damage) => {
      const { scene, start } = await setUp({ 'functions/a.ts': printingFunction('a') })
      const { manifest } = await start()
      const kept = join(scene.project.directory, '.isoplex/kept-build')
      const index = join(kept, 'index.json')
      const bundle = join(kept, 'bundles', manifest.functions[0]?.bundle ?? '')
      if (damage === 'truncated') await writeFile(index, (await readFile(index, 'utf8')).slice(0, -2))
      else if (damage === 'foreign') await writeFile(index, '{"functions":[]}\n')
      else if (damage === 'without bundles') await rm(join(kept, 'bundles'), { recursive: true })
      else await writeFile(bundle, `${await readFile(bundle, 'utf8')} `)
      expect(await start()).toEqual({ manifest, built: ['a'] })
      expect((await start()).built).toEqual([])
    },
  )
})

describe('what is not kept', () => {
  it.each([
    ['reads files', `import { readFileSync } from 'node:fs'\nexport const read = readFileSync\n`],
    ['names Bun', 'void Bun.version\n'],
    ['imports a package that is linked from elsewhere', `import 'linked'\n`],
  ])('is a function that %s', async (_, line) => {
    const { scene, start } = await setUp({
      'functions/a.ts': line + printingFunction('a'),
      'functions/b.ts': printingFunction('b'),
      'packages/linked/package.json': '{ "name": "linked", "type": "module", "main": "index.js" }',
      'packages/linked/index.js': 'export {}\n',
    })
    const linked = join(scene.project.directory, 'packages/linked')
    await symlink(linked, join(scene.project.directory, 'node_modules/linked'))
    expect((await start()).built).toEqual(['a', 'b'])
    expect((await start()).built).toEqual(['a'])
  })

  it('is a project whose settings send imports elsewhere', async () => {
    const { start } = await setUp({
      'functions/a.ts': printingFunction('a'),
      'tsconfig.json': '{ "compilerOptions": { "paths": { "lib/*": ["./lib/*"] } } }',
    })
    await start()
    expect((await start()).built).toEqual(['a'])
  })

  it('is a broken function, which is built again and told again', async () => {
    const { start } = await setUp({ 'functions/a.ts': 'export default 1\n' })
    const first = await start()
    expect(first.manifest.broken).toHaveLength(1)
    expect((await start()).manifest).toEqual(first.manifest)
  })

  it('is the earlier version of a function that is broken by now', async () => {
    const { scene, start } = await setUp({ 'functions/a.ts': printingFunction('a') })
    await start()
    await scene.project.write({ 'functions/a.ts': 'export default {\n' })
    expect((await start()).manifest).toMatchObject({ functions: [], broken: [{ served: false }] })
  })

  it('is what something has come beside since it was built', async () => {
    const { scene, start } = await setUp({ 'functions/a.ts': printingFunction('a') })
    const future = new Date(Date.now() + 60_000)
    await using builder = scene.project.builder({
      stateDirectory: '.isoplex/builds/first',
      keepDirectory: join(scene.project.directory, '.isoplex/kept-build'),
    })
    await utimes(join(scene.project.directory, 'functions'), future, future)
    await builder.build()
    await builder[Symbol.asyncDispose]()
    expect((await start()).built).toEqual(['a'])
    expect((await start()).built).toEqual([])
  })
})
