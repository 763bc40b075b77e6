import { describe, expect, it } from 'vitest'
import { listFiles, parseSource, readSources, readText } from '../support/source-files.ts'
import { assertNoFindings, type Finding, formatFinding } from './finding.ts'
import {
  checkComments,
  checkConsole,
  checkDefaultExports,
  checkReexports,
  checkTestModifiers,
  checkText,
  checkTypes,
} from './words.ts'

const sources = readSources(['runtime', 'adapters', 'functions', 'test'])
const show = (findings: Finding[]) => findings.map(formatFinding)

describe('the repository', () => {
  it('has no open ends and no switched-off checks in comments', () => {
    assertNoFindings(sources.flatMap(checkComments))
  })

  it('has no test that is switched off or that switches others off', () => {
    assertNoFindings(sources.flatMap(checkTestModifiers))
  })

  it('has no any', () => {
    assertNoFindings(sources.flatMap(checkTypes))
  })

  it('has default exports in functions and configuration only', () => {
    assertNoFindings(sources.flatMap(checkDefaultExports))
  })

  it('re-exports in its two public indexes only', () => {
    assertNoFindings(sources.flatMap(checkReexports))
  })

  it('writes to the console in tests, trainers and the log of pages only', () => {
    assertNoFindings(sources.flatMap(checkConsole))
  })

  it('names no place, host or ticket of those who write it', () => {
    const places = ['runtime', 'adapters', 'functions', 'test', '.ci', 'README.md', '.gitignore', '.npmrc']
    const settings = ['package.json', 'tsconfig.json', 'biome.json', 'bunfig.toml']
    // This file holds samples of what the check refuses.
    const texts = listFiles([...places, ...settings]).filter(
      (path) => path !== 'test/repo/words.test.ts' && !/\.(?:bin|onnx|png|wav|zip)$/.test(path),
    )
    expect(texts.length).toBeGreaterThan(sources.length)
    assertNoFindings(texts.flatMap((path) => checkText(path, readText(path))))
  })
})

describe('the checks of sources', () => {
  it.each([
    ['// TODO: later', checkComments, /^a\.ts:1 .*TODO/],
    ['\n/* a FIXME */', checkComments, /^a\.ts:2 .*FIXME/],
    ['// XXX', checkComments, /XXX/],
    ['/** A HACK. */', checkComments, /HACK/],
    ['// @ts-ignore', checkComments, /@ts-ignore/],
    ['// @ts-nocheck', checkComments, /@ts-nocheck/],
    ['// @ts-expect-error', checkComments, /without a reason/],
    [`it.only('a', f)`, checkTestModifiers, /it\.only/],
    [`describe.skip('a', f)`, checkTestModifiers, /describe\.skip/],
    [`test.todo('a')`, checkTestModifiers, /test\.todo/],
    [`it.each([1]).skip('a', f)`, checkTestModifiers, /it\.each\(\[1\]\)\.skip/],
    [`it.concurrent.only('a', f)`, checkTestModifiers, /it\.concurrent\.only/],
    [`it.fails('a', f)`, checkTestModifiers, /it\.fails/],
    [`it['only']('a', f)`, checkTestModifiers, /it\['only'\]/],
    [`it('a', f, { skip: true })`, checkTestModifiers, /skip: true/],
    [`it('a', { only: true }, f)`, checkTestModifiers, /only: true/],
    [`it('a', (context) => { context.skip() })`, checkTestModifiers, /without a reason/],
    [`it.skipIf(here)('a', f)`, checkTestModifiers, /requireOrSkip/],
    [`const here = true\ndescribe.runIf(here)('a', f)`, checkTestModifiers, /^a\.ts:2 .*requireOrSkip/],
    ['let a: any', checkTypes, /^a\.ts:1 .*unknown/],
    ['let a: Map<string, any[]>', checkTypes, /unknown/],
    ['f(a as any)', checkTypes, /unknown/],
    ['export default 1', checkDefaultExports, /by name/],
    ['const a = 1\nexport { a as default }', checkDefaultExports, /^a\.ts:2 .*by name/],
    [`export { default } from './a.ts'`, checkDefaultExports, /by name/],
    [`export { a } from './a.ts'`, checkReexports, /index/],
    [`export * from './a.ts'`, checkReexports, /index/],
  ])('see %j', (text, check, message) => {
    expect(show(check(parseSource('a.ts', text)))).toEqual([expect.stringMatching(message)])
  })

  it.each([
    [`const text = 'TODO any it.only(1) export default'`],
    ['// XXXL; the todo list of a hackathon'],
    ['/** Any of them. */\nlet a: unknown'],
    ['// @ts-expect-error a title is text\nf(1)'],
    [
      `import { requireOrSkip } from '../support/requirement.ts'\ndescribe.runIf(requireOrSkip('cuda', null))('a', f)`,
    ],
    [
      `const here = requireOrSkip('ray', null)\nit.skipIf(!requireOrSkip('ray', null))('a', f)\nit.runIf(here)('b', f)`,
    ],
    [`import { hasChromium } from '../support/chromium.ts'\ndescribe.runIf(hasChromium)('a', f)`],
    [`it.runIf(process.platform === 'linux')('a', f)`],
    [`it('a', (context) => { context.skip('no disk that small') })`],
    [`expect(list.only).toBe(queue.skip(2))`],
  ])('pass over %j', (text) => {
    const checks = [checkComments, checkTestModifiers, checkTypes, checkDefaultExports, checkReexports]
    expect(checks.flatMap((check) => show(check(parseSource('test/a/a.test.ts', text))))).toEqual([])
  })

  it.each(['functions/a.ts', 'functions/a/[id].ts', 'test/vitest.config.ts', 'test/build/fixtures/a.ts'])(
    'allow the default export of %s',
    (path) => {
      expect(checkDefaultExports(parseSource(path, 'export default 1'))).toEqual([])
    },
  )

  it('refuse the console in runtime/ and adapters/ and leave trainers theirs', () => {
    const findingsOf = (path: string) => show(checkConsole(parseSource(path, `\nconsole.log('a')`)))
    expect(findingsOf('runtime/a.ts')).toEqual([expect.stringMatching(/^runtime\/a\.ts:2 /)])
    expect(findingsOf('adapters/a.ts')).toEqual([expect.stringMatching(/^adapters\/a\.ts:2 /)])
    expect(findingsOf('functions/a.ts')).toEqual([expect.stringMatching(/^functions\/a\.ts:2 /)])
    expect(findingsOf('functions/_models/a/train.ts')).toEqual([])
    expect(findingsOf('runtime/page/console-log.ts')).toEqual([])
  })
})

describe('checkText', () => {
  it.each(['/home/ann/a.ts', '/Users/ann', 'C:\\Users\\ann', '"/root/a"', '(/root/b)'])(
    'sees the machine path %j',
    (path) => {
      expect(show(checkText('a.md', `first\nsee ${path}`))).toEqual([
        expect.stringMatching(/^a\.md:2 .*path/),
      ])
    },
  )

  it.each(['https://registry.example.org/a', 'see issue 12', 'Fixes #12'])('sees %j', (text) => {
    expect(show(checkText('a.md', text))).toHaveLength(1)
  })

  it.each([
    'https://a.example/home/ann',
    'file:///root/store/',
    '/home/ada/a.ts',
    'artwork/main',
    '#private',
    'the colour #333',
  ])('passes over %j', (text) => {
    expect(checkText('a.md', text)).toEqual([])
  })
})
