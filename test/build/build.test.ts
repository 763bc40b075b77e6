import { openSync, readFileSync } from 'node:fs'
import { readdir, readFile, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Builder, BuilderOptions } from '../../runtime/build/build.ts'
import type { BrokenFunction, Manifest } from '../../runtime/build/manifest.ts'
import { brokenCases } from './broken.ts'
import { constantFunction, createProject, type TestProject } from './project.ts'

interface Scene {
  readonly project: TestProject
  readonly builder: Builder
  /** What functions have printed since the last call. */
  printed(): string
}

const projects: TestProject[] = []

afterEach(async () => {
  for (const project of projects.splice(0)) await project[Symbol.asyncDispose]()
})

async function setUp(
  files: Readonly<Record<string, string>>,
  options: Partial<BuilderOptions> = {},
): Promise<Scene> {
  const project = await createProject(files)
  projects.push(project)
  const path = join(project.directory, 'printed.txt')
  const builder = project.builder({ outputDescriptor: openSync(path, 'a'), ...options })
  let read = 0
  return {
    project,
    builder,
    printed() {
      const text = readFileSync(path, 'utf8')
      const fresh = text.slice(read)
      read = text.length
      return fresh
    },
  }
}

/** A function that prints its name when it is imported, with a helper or without. */
function printingFunction(name: string, helper?: string): string {
  return `import { defineFunction } from 'isoplex'
${helper === undefined ? 'const help = 0' : `import { help } from '${helper}'`}
console.log('${name}')
export default defineFunction({ access: 'public', handler: () => help })
`
}

function lines(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .sort()
}

function filesOf({ functions }: Manifest): readonly string[] {
  return functions.map(({ file }) => file)
}

function formatPlace({ place }: BrokenFunction): string {
  return [place.file, place.line ?? '-', place.column ?? '-'].join(':')
}

describe('a function file that', () => {
  it.concurrent.each(
    brokenCases.map((each) => [each.title, each] as const),
  )('%s breaks only itself', async (_, { files, place, reason }) => {
    await using project = await createProject({
      ...files,
      'functions/before.ts': constantFunction('before'),
      'functions/later.ts': constantFunction('later'),
    })
    const outputDescriptor = openSync(join(project.directory, 'printed.txt'), 'a')
    const manifest = await project.builder({ importTimeoutMs: 1500, outputDescriptor }).build()
    expect(filesOf(manifest)).toEqual(['functions/before.ts', 'functions/later.ts'])
    expect(manifest.broken).toHaveLength(1)
    const [broken] = manifest.broken
    expect(broken && formatPlace(broken)).toBe(place)
    expect(broken?.reason).toMatch(reason)
    expect(broken).toMatchObject({ file: 'functions/broken.ts', served: false })
  })

  it('ends the process late does not break the file that is built then', async () => {
    const { builder } = await setUp({
      'functions/a.ts': `${constantFunction('a')}setTimeout(() => process.abort(), 0)\n`,
      'functions/b.ts': `${constantFunction('b')}await new Promise((resolve) => setTimeout(resolve, 300))\n`,
    })
    const { functions, broken } = await builder.build()
    expect(functions.map(({ name }) => name)).toContain('b')
    expect(broken.map(({ file }) => file)).not.toContain('functions/b.ts')
  })
})

describe('a build', () => {
  it('describes functions in the order of their files', async () => {
    const { builder } = await setUp({
      'functions/hello/[name].ts': `import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'
export default defineFunction({
  description: 'Greets.',
  params: Type.Object({ name: Type.String() }),
  handler: ({ params }) => params.name,
})
`,
      'functions/a.ts': constantFunction('a'),
      'functions/_helper.ts': 'export const help = 1\n',
    })
    const manifest = await builder.build()
    expect(filesOf(manifest)).toEqual(['functions/a.ts', 'functions/hello/[name].ts'])
    expect(manifest.broken).toEqual([])
    expect(manifest.functions[1]).toEqual({
      name: 'hello/[name]',
      file: 'functions/hello/[name].ts',
      route: '/hello/[name]',
      path: '/hello/:name',
      kind: 'function',
      methods: ['GET'],
      bundle: expect.stringMatching(/^hello--_name_-[0-9a-f]{16}\.js$/),
      sources: ['functions/hello/[name].ts'],
      description: 'Greets.',
      access: 'token',
      runs: ['server'],
      idempotent: true,
      accepts: [],
      params: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
    })
    expect(Object.isFrozen(manifest.functions[1]?.params)).toBe(true)
  })

  it('gives the very same manifest where nothing has changed', async () => {
    const { builder, printed } = await setUp({ 'functions/a.ts': printingFunction('a') })
    const first = await builder.build()
    expect(lines(printed())).toEqual(['a'])
    expect(await builder.build()).toBe(first)
    expect(await builder.build(['functions/a.ts', 'elsewhere.ts'])).toBe(first)
    expect(printed()).toBe('')
  })

  it('gives the same manifest to another builder of the same sources', async () => {
    const files = { 'functions/a.ts': constantFunction('a'), 'functions/b.ts': constantFunction('b') }
    const [one, other] = [await setUp(files), await setUp(files)]
    expect(await one.builder.build()).toEqual(await other.builder.build())
  })

  it('looks at 2 of 200 functions where 2 were edited', async () => {
    const names = Array.from({ length: 200 }, (_, number) => `f${number}`)
    const files = names.map((name) => [`functions/${name}.ts`, printingFunction(name)])
    const { project, builder, printed } = await setUp(Object.fromEntries(files))
    const first = await builder.build()
    expect(first.functions).toHaveLength(200)
    expect(lines(printed())).toEqual(names.toSorted())
    await project.write({
      'functions/f17.ts': `${printingFunction('f17')}// edited\nexport const more = 1\n`,
      'functions/f170.ts': `${printingFunction('f170')}// edited\nexport const more = 2\n`,
    })
    const second = await builder.build()
    expect(lines(printed())).toEqual(['f17', 'f170'])
    const changed = second.functions.filter((each, index) => each !== first.functions[index])
    expect(changed.map(({ name }) => name)).toEqual(['f17', 'f170'])
  })

  it('builds exactly the importers of a helper that was edited, also of one far below', async () => {
    const { project, builder, printed } = await setUp({
      'functions/a.ts': printingFunction('a', '../lib/help.ts'),
      'functions/b.ts': printingFunction('b', './_nested/help.ts'),
      'functions/c.ts': printingFunction('c'),
      'functions/_nested/help.ts': `export { help } from '../../lib/help.ts'\n`,
      'lib/help.ts': `import { answer } from './answer.json'\nexport const help = answer\n`,
      'lib/answer.json': '{ "answer": 1 }',
    })
    const first = await builder.build()
    expect(first.functions[1]?.sources).toEqual([
      'functions/_nested/help.ts',
      'functions/b.ts',
      'lib/answer.json',
      'lib/help.ts',
    ])
    expect(lines(printed())).toEqual(['a', 'b', 'c'])
    await project.write({ 'lib/answer.json': '{ "answer": 2 }' })
    const second = await builder.build(['lib/answer.json'])
    expect(lines(printed())).toEqual(['a', 'b'])
    expect(second.functions[2]).toBe(first.functions[2])
    expect(second.functions[0]?.bundle).not.toBe(first.functions[0]?.bundle)
    await project.write({ 'functions/_nested/help.ts': 'export const help = 3\n' })
    await builder.build(['functions/_nested/help.ts'])
    expect(lines(printed())).toEqual(['b'])
  })

  it('takes up new files and lets go of those that are gone, whatever it is told of changes', async () => {
    const { project, builder } = await setUp({ 'functions/a.ts': constantFunction('a') })
    await builder.build()
    await project.write({ 'functions/b.ts': constantFunction('b') })
    expect(filesOf(await builder.build([]))).toEqual(['functions/a.ts', 'functions/b.ts'])
    await project.remove('functions/a.ts')
    expect(filesOf(await builder.build([]))).toEqual(['functions/b.ts'])
    await project.remove('functions')
    expect(filesOf(await builder.build([]))).toEqual([])
  })

  it('keeps the last good version of a broken file, and drops the complaint when it is mended', async () => {
    const { project, builder } = await setUp({ 'functions/a.ts': constantFunction('one') })
    const good = await builder.build()
    await project.write({ 'functions/a.ts': 'export default {\n' })
    const broken = await builder.build()
    expect(broken.functions[0]).toBe(good.functions[0])
    expect(broken.broken).toMatchObject([{ file: 'functions/a.ts', served: true }])
    expect(await builder.build()).toBe(broken)
    await project.write({ 'functions/a.ts': constantFunction('two') })
    const mended = await builder.build()
    expect(mended.broken).toEqual([])
    expect(mended.functions[0]?.bundle).not.toBe(good.functions[0]?.bundle)
  })

  it('mends a file whose missing helper or package turns up, though the file itself stays as it was', async () => {
    const { project, builder } = await setUp({
      'functions/a.ts': printingFunction('a', '../lib/help.ts'),
      'functions/b.ts': printingFunction('b', 'new-package'),
    })
    expect((await builder.build()).broken).toHaveLength(2)
    expect([...builder.sources.keys()]).toContain('lib/help.ts')
    await project.write({ 'lib/help.ts': 'export const help = 1\n' })
    expect((await builder.build(['lib/help.ts'])).broken.map(({ file }) => file)).toEqual(['functions/b.ts'])
    await project.write({
      'node_modules/new-package/package.json': '{ "name": "new-package", "main": "main.js" }',
      'node_modules/new-package/main.js': 'export const help = 2\n',
    })
    expect((await builder.build([])).broken).toEqual([])
  })

  it('does not try again what hangs until one of its sources changes', async () => {
    const hanging = `console.log('hanging')\nimport './_help.ts'\nfor (;;) {}\n`
    const { project, builder, printed } = await setUp(
      { 'functions/a.ts': hanging, 'functions/_help.ts': 'export {}\n' },
      { importTimeoutMs: 500 },
    )
    await builder.build()
    expect(lines(printed())).toEqual(['hanging'])
    await builder.build()
    expect(printed()).toBe('')
    await project.write({ 'functions/_help.ts': 'console.log("help")\n' })
    await builder.build(['functions/_help.ts'])
    expect(lines(printed())).toEqual(['hanging', 'help'])
  })

  it('builds everything anew where packages or paths may be found elsewhere', async () => {
    const { project, builder, printed } = await setUp({
      'functions/a.ts': printingFunction('a', '@lib/help.ts'),
      'one/help.ts': 'export const help = 1\n',
      'two/help.ts': 'export const help = 2\n',
      'tsconfig.json': '{ "compilerOptions": { "paths": { "@lib/*": ["./one/*"] } } }',
    })
    expect((await builder.build()).functions[0]?.sources).toContain('one/help.ts')
    printed()
    await project.write({ 'tsconfig.json': '{ "compilerOptions": { "paths": { "@lib/*": ["./two/*"] } } }' })
    expect((await builder.build(['tsconfig.json'])).functions[0]?.sources).toContain('two/help.ts')
    expect(lines(printed())).toEqual(['a'])
  })

  it('breaks the later of two files that claim one route or name', async () => {
    const { project, builder } = await setUp({
      'functions/a.ts': constantFunction('a'),
      'functions/b/index.ts': constantFunction('b'),
      'functions/b.ts': constantFunction('b'),
      'functions/c.ts': `import { defineFunction } from 'isoplex'
export default defineFunction({ name: 'a', handler: () => 1 })
`,
    })
    const manifest = await builder.build()
    expect(filesOf(manifest)).toEqual(['functions/a.ts', 'functions/b.ts'])
    expect(manifest.broken).toEqual([
      {
        file: 'functions/b/index.ts',
        place: { file: 'functions/b/index.ts', line: null, column: null },
        reason: expect.stringContaining('functions/b.ts and functions/b/index.ts claim one route, /b.'),
        served: false,
      },
      expect.objectContaining({
        file: 'functions/c.ts',
        reason: expect.stringContaining('functions/a.ts and functions/c.ts are both named "a".'),
      }),
    ])
    await project.remove('functions/b.ts')
    expect(filesOf(await builder.build())).toEqual(['functions/a.ts', 'functions/b/index.ts'])
  })

  it('tells of links that lead out of the functions folder', async () => {
    const { project, builder } = await setUp({
      'functions/a.ts': constantFunction('a'),
      'outside.ts': constantFunction('outside'),
    })
    await symlink(join(project.directory, 'outside.ts'), join(project.directory, 'functions/b.ts'))
    const manifest = await builder.build()
    expect(filesOf(manifest)).toEqual(['functions/a.ts'])
    expect(manifest.broken).toMatchObject([{ file: 'functions/b.ts', served: false }])
  })
})

describe('the bundles', () => {
  it('stay untouched where their content is the same', async () => {
    const { project, builder } = await setUp({ 'functions/a.ts': constantFunction('a') })
    const [first] = (await builder.build()).functions
    const path = join(builder.bundlesDirectory, first?.bundle ?? '')
    const { ino, mtimeMs } = await stat(path)
    await using other = project.builder()
    expect((await other.build()).functions).toEqual([first])
    expect(await stat(path)).toMatchObject({ ino, mtimeMs })
  })

  it('are kept for one generation more, and nothing half-written stays', async () => {
    const { project, builder } = await setUp({ 'functions/a.ts': constantFunction('0') })
    const bundles: string[] = []
    for (const answer of ['0', '1', '2']) {
      await project.write({
        'functions/a.ts': constantFunction(answer),
        '.isoplex/bundles/a-0000000000000000.js.1.partial': 'half',
      })
      bundles.push((await builder.build()).functions[0]?.bundle ?? '')
    }
    expect((await readdir(builder.bundlesDirectory)).toSorted()).toEqual(bundles.slice(1).toSorted())
  })

  it('tell file and line of the source where they throw', async () => {
    const { builder } = await setUp({
      'functions/a.ts': `import { fail } from '../lib/fail.ts'
interface Unused {
  readonly member: string
}
import { defineFunction } from 'isoplex'

export default defineFunction({ handler: () => fail() })
`,
      'lib/fail.ts': `type Unused = string

export function fail(): never {
  throw new Error('at last')
}
`,
    })
    const { functions } = await builder.build()
    const { default: definition } = await import(join(builder.bundlesDirectory, functions[0]?.bundle ?? ''))
    const [outcome] = await definition.answer([{}], new AbortController().signal)
    const frames = outcome.stack.split('\n').slice(1, 3)
    expect(frames[0]).toMatch(/\/lib\/fail\.ts:4:\d+\)$/)
    expect(frames[1]).toMatch(/\/functions\/a\.ts:7:\d+\)$/)
    expect(frames.join()).not.toContain('.isoplex')
  })

  it('leave packages to be imported and the environment to be read where they run', async () => {
    const { builder } = await setUp({
      'functions/a.ts': `import { defineFunction } from 'isoplex'
export default defineFunction({ handler: () => process.env.NODE_ENV })
`,
    })
    const { functions } = await builder.build()
    const code = await readFile(join(builder.bundlesDirectory, functions[0]?.bundle ?? ''), 'utf8')
    expect(code).toMatch(/from ["']isoplex["']/)
    expect(code).toContain('process.env.NODE_ENV')
  })
})

describe('the build process', () => {
  it('sees the environment that it is given and no .env file', async () => {
    const { builder, printed } = await setUp(
      {
        'functions/a.ts': `${constantFunction('a')}console.log(JSON.stringify(process.env))\n`,
        '.env': 'SIGNING_KEY=secret\n',
      },
      { environment: { GREETING: 'hello' } },
    )
    await builder.build()
    expect(JSON.parse(printed())).toEqual({ GREETING: 'hello' })
  })

  it('is not confused by what functions print, send or do to it', async () => {
    const { builder, printed } = await setUp({
      'functions/a.ts': `${constantFunction('a')}
console.log('{"kind":"described","manifest":{}}')
console.error('{"kind":"ready"}')
process.send?.({ kind: 'broken' })
process.chdir('/')
`,
      'functions/b.ts': constantFunction('b'),
    })
    const manifest = await builder.build()
    expect(manifest.broken).toEqual([])
    expect(manifest.functions.map(({ sources }) => sources)).toEqual([['functions/a.ts'], ['functions/b.ts']])
    expect(lines(printed())).toHaveLength(2)
  })

  it('that cannot start fails the build, and the next may succeed', async () => {
    const { project, builder } = await setUp(
      { 'functions/a.ts': constantFunction('a') },
      { entryPath: '/no/such/entry.ts' },
    )
    await expect(builder.build()).rejects.toMatchObject({ code: 'BUILD_FAILED' })
    await expect(builder.build()).rejects.toMatchObject({ code: 'BUILD_FAILED' })
    expect((await project.builder().build()).functions).toHaveLength(1)
  })
})

describe('calls of build', () => {
  it('that come together share one build', async () => {
    const { builder, printed } = await setUp({ 'functions/a.ts': printingFunction('a') })
    const manifests = await Promise.all([builder.build(), builder.build(), builder.build(['functions/a.ts'])])
    expect(new Set(manifests).size).toBe(1)
    expect(lines(printed())).toEqual(['a'])
  })

  it('that come during a build make it take up what has changed since', async () => {
    const { project, builder, printed } = await setUp(
      {
        'functions/a.ts': printingFunction('a'),
        'functions/b.ts': `console.log('b')\nawait new Promise(() => undefined)\n`,
      },
      { importTimeoutMs: 1500 },
    )
    const first = builder.build()
    await expect.poll(printed, { timeout: 5000 }).toContain('b')
    await project.write({ 'functions/a.ts': constantFunction('a'), 'functions/b.ts': constantFunction('b') })
    const second = builder.build(['functions/a.ts', 'functions/b.ts'])
    expect(await second).toBe(await first)
    expect((await second).broken).toEqual([])
    expect(filesOf(await second)).toEqual(['functions/a.ts', 'functions/b.ts'])
    expect(printed()).toBe('')
  })

  it('are refused once the builder is disposed of, which ends a build that hangs', async () => {
    const { builder, printed } = await setUp({ 'functions/a.ts': `console.log('a')\nfor (;;) {}\n` })
    const build = builder.build()
    const outcome = expect(build).rejects.toMatchObject({ code: 'CANCELLED' })
    await expect.poll(printed, { timeout: 5000 }).toContain('a')
    await builder[Symbol.asyncDispose]()
    await outcome
    await expect(builder.build()).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})
