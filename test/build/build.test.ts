import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { constantFunction } from './project.ts'
import { filesOf, linesOf, printingFunction, setUpScene } from './scene.ts'

describe('a build', () => {
  it('describes functions in the order of their files', async () => {
    const { builder } = await setUpScene({
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
    const { builder, printed } = await setUpScene({ 'functions/a.ts': printingFunction('a') })
    const first = await builder.build()
    expect(linesOf(printed())).toEqual(['a'])
    expect(await builder.build()).toBe(first)
    expect(await builder.build(['functions/a.ts', 'elsewhere.ts'])).toBe(first)
    expect(printed()).toBe('')
  })

  it('gives the same manifest to another builder of the same sources', async () => {
    const files = { 'functions/a.ts': constantFunction('a'), 'functions/b.ts': constantFunction('b') }
    const [one, other] = [await setUpScene(files), await setUpScene(files)]
    expect(await one.builder.build()).toEqual(await other.builder.build())
  })

  it('looks at 2 of 200 functions where 2 were edited', async () => {
    const names = Array.from({ length: 200 }, (_, number) => `f${number}`)
    const files = names.map((name) => [`functions/${name}.ts`, printingFunction(name)])
    const { project, builder, printed } = await setUpScene(Object.fromEntries(files))
    const first = await builder.build()
    expect(first.functions).toHaveLength(200)
    expect(linesOf(printed())).toEqual(names.toSorted())
    await project.write({
      'functions/f17.ts': `${printingFunction('f17')}// edited\nexport const more = 1\n`,
      'functions/f170.ts': `${printingFunction('f170')}// edited\nexport const more = 2\n`,
    })
    const second = await builder.build()
    expect(linesOf(printed())).toEqual(['f17', 'f170'])
    const changed = second.functions.filter((each, index) => each !== first.functions[index])
    expect(changed.map(({ name }) => name)).toEqual(['f17', 'f170'])
  })

  it('builds exactly the importers of a helper that was edited, also of one far below', async () => {
    const { project, builder, printed } = await setUpScene({
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
    expect(linesOf(printed())).toEqual(['a', 'b', 'c'])
    await project.write({ 'lib/answer.json': '{ "answer": 2 }' })
    const second = await builder.build(['lib/answer.json'])
    expect(linesOf(printed())).toEqual(['a', 'b'])
    expect(second.functions[2]).toBe(first.functions[2])
    expect(second.functions[0]?.bundle).not.toBe(first.functions[0]?.bundle)
    await project.write({ 'functions/_nested/help.ts': 'export const help = 3\n' })
    await builder.build(['functions/_nested/help.ts'])
    expect(linesOf(printed())).toEqual(['b'])
  })

  it('takes up new files and lets go of those that are gone, whatever it is told of changes', async () => {
    const { project, builder } = await setUpScene({ 'functions/a.ts': constantFunction('a') })
    await builder.build()
    await project.write({ 'functions/b.ts': constantFunction('b') })
    expect(filesOf(await builder.build([]))).toEqual(['functions/a.ts', 'functions/b.ts'])
    await project.remove('functions/a.ts')
    expect(filesOf(await builder.build([]))).toEqual(['functions/b.ts'])
    await project.remove('functions')
    expect(filesOf(await builder.build([]))).toEqual([])
  })

  it('keeps the last good version of a broken file, and drops the complaint when it is mended', async () => {
    const { project, builder } = await setUpScene({ 'functions/a.ts': constantFunction('one') })
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
    const { project, builder } = await setUpScene({
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
    const { project, builder, printed } = await setUpScene(
      { 'functions/a.ts': hanging, 'functions/_help.ts': 'export {}\n' },
      { importTimeoutMs: 500 },
    )
    await builder.build()
    expect(linesOf(printed())).toEqual(['hanging'])
    await builder.build()
    expect(printed()).toBe('')
    await project.write({ 'functions/_help.ts': 'console.log("help")\n' })
    await builder.build(['functions/_help.ts'])
    expect(linesOf(printed())).toEqual(['hanging', 'help'])
  })

  it('builds everything anew where packages or paths may be found elsewhere', async () => {
    const { project, builder, printed } = await setUpScene({
      'functions/a.ts': printingFunction('a', '@lib/help.ts'),
      'one/help.ts': 'export const help = 1\n',
      'two/help.ts': 'export const help = 2\n',
      'tsconfig.json': '{ "compilerOptions": { "paths": { "@lib/*": ["./one/*"] } } }',
    })
    expect((await builder.build()).functions[0]?.sources).toContain('one/help.ts')
    printed()
    await project.write({ 'tsconfig.json': '{ "compilerOptions": { "paths": { "@lib/*": ["./two/*"] } } }' })
    expect((await builder.build(['tsconfig.json'])).functions[0]?.sources).toContain('two/help.ts')
    expect(linesOf(printed())).toEqual(['a'])
  })

  it('breaks the later of two files that claim one route or name', async () => {
    const { project, builder } = await setUpScene({
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
    const { project, builder } = await setUpScene({
      'functions/a.ts': constantFunction('a'),
      'outside.ts': constantFunction('outside'),
    })
    await symlink(join(project.directory, 'outside.ts'), join(project.directory, 'functions/b.ts'))
    const manifest = await builder.build()
    expect(filesOf(manifest)).toEqual(['functions/a.ts'])
    expect(manifest.broken).toMatchObject([{ file: 'functions/b.ts', served: false }])
  })
})

describe('calls of build', () => {
  it('that come together share one build', async () => {
    const { builder, printed } = await setUpScene({ 'functions/a.ts': printingFunction('a') })
    const manifests = await Promise.all([builder.build(), builder.build(), builder.build(['functions/a.ts'])])
    expect(new Set(manifests).size).toBe(1)
    expect(linesOf(printed())).toEqual(['a'])
  })

  it('that come during a build make it take up what has changed since', async () => {
    const { project, builder, printed } = await setUpScene(
      {
        'functions/a.ts': printingFunction('a'),
        'functions/b.ts': `console.log('b')\nawait new Promise(() => undefined)\n`,
      },
      { importTimeoutMs: 2500 },
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

  it('are refused where the builder is disposed of before they have begun, or while a process starts', async () => {
    for (const turns of [0, 1, 5, 25]) {
      const { builder } = await setUpScene({ 'functions/a.ts': constantFunction('a') })
      const outcome = builder.build().then(
        () => 'built',
        (error) => error.code,
      )
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
      await builder[Symbol.asyncDispose]()
      expect(await outcome).toBe('CANCELLED')
    }
  })

  it('are refused once the builder is disposed of, which ends a build that hangs', async () => {
    const { builder, printed } = await setUpScene({ 'functions/a.ts': `console.log('a')\nfor (;;) {}\n` })
    const build = builder.build()
    const outcome = expect(build).rejects.toMatchObject({ code: 'CANCELLED' })
    await expect.poll(printed, { timeout: 5000 }).toContain('a')
    await builder[Symbol.asyncDispose]()
    await outcome
    await expect(builder.build()).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})
