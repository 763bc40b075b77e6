import { describe, expect, it } from 'vitest'
import { errorCodes } from '../../runtime/error/codes.ts'
import { parseSource, readSources } from '../support/source-files.ts'
import { checkExportDocs, checkThrowsTags, checkUnusedCodes } from './docs.ts'
import { assertNoFindings, type Finding, formatFinding } from './finding.ts'

const codes = Object.keys(errorCodes)
const show = (findings: Finding[]) => findings.map(formatFinding)

describe('the sources', () => {
  const sources = readSources(['runtime', 'adapters'])

  it('say above every export what it is for', () => {
    assertNoFindings(sources.flatMap(checkExportDocs))
  })

  it('name existing error codes where they say what is thrown', () => {
    assertNoFindings(sources.flatMap((source) => checkThrowsTags(source, codes)))
  })

  it('use every error code', () => {
    assertNoFindings(checkUnusedCodes(sources, codes))
  })
})

describe('checkExportDocs', () => {
  const findingsOf = (text: string) => show(checkExportDocs(parseSource('a.ts', text)))

  it.each([
    ['a function', 'export function open(): void {}', 'open'],
    ['an async function', 'export async function open(): Promise<void> {}', 'open'],
    ['a constant', 'export const open = 1', 'open'],
    ['a pattern', 'export const { open } = door', '{ open }'],
    ['a class', 'export class Door {}', 'Door'],
    ['an interface', 'export interface Door {}', 'Door'],
    ['a type', 'export type Door = 1', 'Door'],
  ])('asks for the doc comment of %s', (_, declaration, name) => {
    const missing = [expect.stringContaining(`exports ${name} without`)]
    expect(findingsOf(declaration)).toEqual(missing)
    expect(findingsOf(`// About it.\n${declaration}`)).toEqual(missing)
    expect(findingsOf(`/* About it. */\n${declaration}`)).toEqual(missing)
    expect(findingsOf(`/** */\n${declaration}`)).toEqual(missing)
    expect(findingsOf(`/** About another thing. */\n\n${declaration}`)).toEqual(missing)
    expect(findingsOf(`/** About another thing. */\nconst a = 1\n${declaration}`)).toEqual(missing)
    expect(findingsOf(`/** About it. */\n${declaration}`)).toEqual([])
    expect(findingsOf(`/**\n * About it.\n */\n// A note.\n${declaration}`)).toEqual([])
  })

  it('asks once where a function has overloads', () => {
    const overloads = 'export function open(): void\nexport function open(wide?: 1): void {}'
    expect(findingsOf(`/** About it. */\n${overloads}`)).toEqual([])
    expect(findingsOf(overloads)).toEqual([expect.stringMatching(/^a\.ts:1 /)])
  })

  it('refuses exports by list and leaves re-exports alone', () => {
    expect(findingsOf('const a = 1\nexport { a }')).toEqual([
      expect.stringMatching(/^a\.ts:2 exports by a list/),
    ])
    expect(findingsOf(`export { a } from './a.ts'\nexport type { B } from './b.ts'`)).toEqual([])
  })
})

describe('checkThrowsTags', () => {
  const findingsOf = (tag: string) =>
    show(checkThrowsTags(parseSource('a.ts', `\n/**\n * Opens.\n *\n * ${tag}\n */\nf()`), codes))

  it.each([
    ['@throws {IsoplexError} `INTERNAL` where it is shut.'],
    ['@throws {IsoplexError} `INTERNAL`,\n * `QUEUE_FULL` where it is shut.'],
    ['@throws {IsoplexError} as {@link close}.'],
    ['@throws {TypeError} where `width` is not a number.'],
    ['@throws {Error} with code `EADDRINUSE`.'],
  ])('takes %j', (tag) => {
    expect(findingsOf(tag)).toEqual([])
  })

  it.each([
    ['@throws {IsoplexError} `INTERNAL` and `NO_SUCH_CODE`.', /^a\.ts:5 .*NO_SUCH_CODE/],
    ['@throws {IsoplexError} `INTERNAL`,\n * `NO_SUCH_CODE`.', /^a\.ts:5 .*NO_SUCH_CODE/],
    ['@throws `NO_SUCH_CODE`.', /NO_SUCH_CODE/],
    ['@throws {IsoplexError} where it is shut.', /^a\.ts:5 .*names no code/],
    ['@param a {@link b} @throws {IsoplexError} `MISSPELT`', /MISSPELT/],
  ])('refuses %j', (tag, message) => {
    expect(findingsOf(tag)).toEqual([expect.stringMatching(message)])
  })
})

describe('checkUnusedCodes', () => {
  it('names the codes that stand in the table only', () => {
    const table = parseSource(
      'runtime/error/codes.ts',
      `export const errorCodes = {\n  A_B: 'A_B',\n  C: 1,\n}`,
    )
    const thrower = parseSource('runtime/cli/main.ts', `throw new IsoplexError('C', 'not A_B') // 'A_B'`)
    expect(show(checkUnusedCodes([table, thrower], ['A_B', 'C']))).toEqual([
      expect.stringMatching(/^runtime\/error\/codes\.ts:2 has A_B/),
    ])
  })
})
