import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hashText } from '../../runtime/build/content-hash.ts'
import { constantFunction, createProject, type TestProject } from './project.ts'
import { setUpScene } from './scene.ts'

let project: TestProject

beforeEach(async () => {
  project = await createProject({
    'functions/a.ts': `import { help } from '../lib/help.ts'\nexport default help\n`,
    'lib/help.ts': 'export const help = 1\n',
  })
})

afterEach(() => project[Symbol.asyncDispose]())

/** Bundles `functions/a.ts` in a process of its own, since bundling leaks and wants the project as its folder. */
function bundle(...known: readonly string[]): Record<string, unknown> {
  const module = new URL('../../runtime/build/bundle.ts', import.meta.url).href
  const directories = {
    projectDirectory: project.directory,
    functionsDirectory: `${project.directory}/functions`,
    bundlesDirectory: `${project.directory}/.isoplex/bundles`,
  }
  const call = [{ file: 'functions/a.ts', functionFile: 'a.ts' }, known, directories]
  const script = `const { bundleFunction } = await import(${JSON.stringify(module)})
console.log(JSON.stringify(await bundleFunction(...${JSON.stringify(call)})))`
  const { stdout } = Bun.spawnSync([process.execPath, '--eval', script], { cwd: project.directory })
  return JSON.parse(stdout.toString())
}

const hashOfHelp = hashText('export const help = 1\n')

describe('bundleFunction', () => {
  it('tells the hash of every source, whether it was known or not', () => {
    for (const known of [[], ['lib/help.ts'], ['lib/gone.ts']]) {
      expect(bundle(...known)).toMatchObject({
        bundle: {
          sources: { 'functions/a.ts': expect.stringMatching(/^[0-9a-f]{16}$/), 'lib/help.ts': hashOfHelp },
        },
      })
    }
  })

  it('makes the same bundle in every process, and another one of other sources', async () => {
    const first = bundle()
    expect(bundle('lib/help.ts')).toEqual(first)
    await project.write({ 'lib/help.ts': 'export const help = 2\n' })
    expect(bundle()).not.toEqual(first)
  })

  it('tells the files that may mend what could not be bundled', async () => {
    await project.write({ 'lib/help.ts': `export { help } from './missing.ts'\n` })
    expect(bundle('lib/help.ts')).toMatchObject({
      mistake: { place: { file: 'lib/help.ts', line: 1 } },
      sources: {
        'functions/a.ts': expect.any(String),
        'lib/help.ts': expect.any(String),
        'lib/missing.ts': null,
      },
    })
  })
})

describe('the bundles of a project', () => {
  it('stay untouched where their content is the same', async () => {
    const { project, builder } = await setUpScene({ 'functions/a.ts': constantFunction('a') })
    const [first] = (await builder.build()).functions
    const path = join(builder.bundlesDirectory, first?.bundle ?? '')
    const { ino, mtimeMs } = await stat(path)
    await using other = project.builder()
    expect((await other.build()).functions).toEqual([first])
    expect(await stat(path)).toMatchObject({ ino, mtimeMs })
  })

  it('are kept for one generation more, and nothing half-written stays', async () => {
    const { project, builder } = await setUpScene({ 'functions/a.ts': constantFunction('0') })
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
    const { builder } = await setUpScene({
      'functions/a.ts': `import { fail } from '../lib/fail.ts'
interface Unused {
  readonly member: string
}
import { defineFunction } from 'isoplex'

export default defineFunction({ handler: () => [fail()] })
`,
      'lib/fail.ts': `type Unused = string

export function fail(): never {
  throw new Error('at last')
}
`,
    })
    const { functions } = await builder.build()
    const { default: definition } = await import(join(builder.bundlesDirectory, functions[0]?.bundle ?? ''))
    const [outcome] = await definition.answer([{}], new AbortController())
    const frames = outcome.stack.split('\n').slice(1, 3)
    expect(frames[0]).toMatch(/\/lib\/fail\.ts:4:\d+\)$/)
    expect(frames[1]).toMatch(/\/functions\/a\.ts:7:\d+\)$/)
    expect(frames.join()).not.toContain('.isoplex')
  })

  it('leave packages to be imported and the environment to be read where they run', async () => {
    const { builder } = await setUpScene({
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
