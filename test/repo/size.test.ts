import { describe, expect, it } from 'vitest'
import {
  lineAt,
  parseSource,
  readSources,
  type SourceFile,
  type SyntaxNode,
  visit,
} from '../support/source-files.ts'
import { assertNoFindings, type Finding, findingAt, formatFinding } from './finding.ts'
import { isTestCall } from './test-call.ts'

const fileLimitLines = 300
const functionLimitLines = 60

function checkFileSize({ path, text }: SourceFile): Finding[] {
  const lines = text.replace(/\n$/, '').split('\n').length
  if (lines <= fileLimitLines) return []
  const problem = `ends a file of ${lines} lines; ${fileLimitLines} are the limit: split off the noun that it holds beside its own`
  return [{ path, line: lines, problem }]
}

/** A function's lines are those from its first brace to its last. One that only registers tests may be longer. */
function checkFunctionSizes(source: SourceFile): Finding[] {
  const suites = suitesOf(source)
  const findings: Finding[] = []
  const check = (node: { readonly start: number; readonly body: SyntaxNode | null }): void => {
    if (node.body === null || suites.has(node.start)) return
    const lines = lineAt(source.text, node.body.end) - lineAt(source.text, node.body.start) + 1
    if (lines <= functionLimitLines) return
    const problem = `begins a function of ${lines} lines; ${functionLimitLines} are the limit: name a part of it and move that out`
    findings.push(findingAt(source, node.start, problem))
  }
  visit(source, { FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check })
  return findings
}

/** Where the functions begin that call `describe` or `it` themselves: they surround tests and are none. */
function suitesOf(source: SourceFile): Set<number> {
  const suites = new Set<number>()
  const open: number[] = []
  const enter = (node: SyntaxNode): void => void open.push(node.start)
  const leave = (): void => void open.pop()
  visit(source, {
    FunctionDeclaration: enter,
    'FunctionDeclaration:exit': leave,
    FunctionExpression: enter,
    'FunctionExpression:exit': leave,
    ArrowFunctionExpression: enter,
    'ArrowFunctionExpression:exit': leave,
    CallExpression: (node) => {
      const around = open.at(-1)
      if (around !== undefined && isTestCall(node)) suites.add(around)
    },
  })
  return suites
}

describe('the sources', () => {
  const sources = readSources(['runtime', 'adapters', 'functions', 'test'])

  it(`have at most ${fileLimitLines} lines a file`, () => {
    assertNoFindings(sources.flatMap(checkFileSize))
  })

  it(`have at most ${functionLimitLines} lines a function`, () => {
    assertNoFindings(sources.flatMap(checkFunctionSizes))
  })
})

describe('checkFileSize', () => {
  const sized = (lines: number) => checkFileSize(parseSource('a.ts', '//\n'.repeat(lines)))

  it('takes a file of the limit and refuses one line more', () => {
    expect(sized(fileLimitLines)).toEqual([])
    expect(sized(fileLimitLines + 1).map(formatFinding)).toEqual([
      expect.stringMatching(/^a\.ts:301 .*301 lines/),
    ])
  })
})

describe('checkFunctionSizes', () => {
  const findingsOf = (text: string) => checkFunctionSizes(parseSource('a.ts', text)).map(formatFinding)
  const body = (lines: number) => `{\n${'f()\n'.repeat(lines - 2)}}`

  it.each([
    ['a function', (lines: number) => `function a() ${body(lines)}`],
    ['a function of a variable', (lines: number) => `const a = function () ${body(lines)}`],
    ['an arrow', (lines: number) => `const a = async () => ${body(lines)}`],
    ['a method', (lines: number) => `class A { a() ${body(lines)} }`],
    ['a getter', (lines: number) => `const a = { get a() ${body(lines)} }`],
    ['a generator', (lines: number) => `function* a() ${body(lines)}`],
    ['the body of a test', (lines: number) => `describe('a', () => { it('b', () => ${body(lines)}) })`],
  ])('measures %s', (_, textOf) => {
    expect(findingsOf(textOf(functionLimitLines))).toEqual([])
    expect(findingsOf(textOf(functionLimitLines + 1))).toEqual([expect.stringMatching(/^a\.ts:1 .*61 lines/)])
  })

  it('names the line where the function begins', () => {
    expect(findingsOf(`\n\nfunction a() ${body(100)}`)).toEqual([expect.stringMatching(/^a\.ts:3 /)])
  })

  it('passes over what surrounds tests', () => {
    expect(findingsOf(`describe('a', () => {\n${"it.each([])('b', () => {})\n".repeat(70)}})`)).toEqual([])
  })

  it('passes over declarations without a body', () => {
    expect(findingsOf('declare function a(): void\ninterface A { a(): void }')).toEqual([])
  })
})
