import { describe, expect, it } from 'vitest'
import { listFiles, parseSource, readSources } from '../support/source-files.ts'
import { exemptions } from './exemptions.ts'
import { assertNoFindings, type Finding, formatFinding } from './finding.ts'
import { checkCoverage, checkExemptions, checkTestNames, type Exemptions, type Mirror } from './mirror.ts'

/** Folders of `test/` that stand beside the sources and mirror none of them. */
const ownFolders = ['bench', 'contract', 'e2e', 'fixtures', 'functions', 'repo', 'support', 'types']

const tests = listFiles(['test']).filter((path) => path.endsWith('.test.ts'))
const sources = readSources(['runtime', 'adapters'])

it('names each test after the file or adapter that it is about', () => {
  assertNoFindings(checkTestNames({ tests, sources, ownFolders }))
})

it('has a test for each file of runtime/ with logic, and for each adapter', () => {
  assertNoFindings(checkCoverage({ tests, sources, ownFolders }, exemptions))
})

it('exempts only what exists, has no test of its own and is proven elsewhere', () => {
  assertNoFindings(checkExemptions({ tests, sources, ownFolders }, exemptions))
})

describe('the checks', () => {
  const mirror: Mirror = {
    tests: ['test/error/error.test.ts', 'test/adapters/onnx-gpu.test.ts', 'test/e2e/anything.test.ts'],
    sources: [
      parseSource('runtime/error/error.ts', 'export function fail(): void {}'),
      parseSource(
        'runtime/error/codes.ts',
        'export interface Code {}\nexport const codes = { A: 1 } as const',
      ),
      parseSource('adapters/onnx/session.ts', 'export const open = (): void => {}'),
    ],
    ownFolders,
  }
  const exempt: Exemptions = { 'runtime/error/wire.ts': { provenBy: 'test/e2e', reason: 'Why not.' } }
  const wire = parseSource('runtime/error/wire.ts', 'export const toWire = () => ({})')
  const show = (findings: Finding[]) => findings.map(formatFinding)

  it('take files that mirror each other', () => {
    expect(checkTestNames(mirror)).toEqual([])
    expect(checkCoverage({ ...mirror, tests: [...mirror.tests, 'test/adapters/onnx.test.ts'] }, {})).toEqual(
      [],
    )
  })

  it.each([
    ['test/error/gone.test.ts', /no runtime\/error\/gone\.ts/],
    ['test/nowhere/gone.test.ts', /no runtime\/nowhere\/gone\.ts/],
    ['test/error.test.ts', /no runtime\/error\.ts/],
    ['test/adapters/gone.test.ts', /no adapter of that name/],
    ['test/adapters/onnxed.test.ts', /no adapter of that name/],
  ])('refuse the test %s', (path, message) => {
    expect(show(checkTestNames({ ...mirror, tests: [path] }))).toEqual([expect.stringMatching(message)])
  })

  it.each([
    ['a function', 'export const toWire = () => ({})'],
    ['a class', 'export class Wire { close() {} }'],
    ['a statement', `postMessage('ready')`],
    ['a loop', 'for (const a of []) a()'],
  ])('ask for a test of a file that has %s', (_, text) => {
    const source = parseSource('runtime/error/wire.ts', text)
    expect(show(checkCoverage({ ...mirror, tests: [], sources: [source] }, {}))).toEqual([
      expect.stringMatching(/^runtime\/error\/wire\.ts:1 .* test\/error\/wire\.test\.ts/),
    ])
  })

  it('ask for a test of the page that a view is a part of', () => {
    const view = parseSource('runtime/playground/form.tsx', 'export const Form = () => <form />')
    const page = parseSource('runtime/playground/page.tsx', 'export const Page = () => <main />')
    const from = { ...mirror, sources: [view, page] }
    expect(show(checkCoverage({ ...from, tests: [] }, {}))).toEqual([
      expect.stringMatching(/^runtime\/playground\/form\.tsx:1 .* test\/playground\/page\.test\.ts/),
      expect.stringMatching(/^runtime\/playground\/page\.tsx:1 .* test\/playground\/page\.test\.ts/),
    ])
    expect(checkTestNames({ ...from, tests: ['test/playground/page.test.ts'] })).toEqual([])
    expect(checkCoverage({ ...from, tests: ['test/playground/page.test.ts'] }, {})).toEqual([])
  })

  it('ask for a test of an adapter', () => {
    expect(show(checkCoverage(mirror, {}))).toEqual([expect.stringMatching(/test\/adapters\/onnx\.test\.ts/)])
  })

  it.each([
    ['is gone', mirror, exempt, /is not there any more/],
    ['has no logic', mirror, { 'runtime/error/codes.ts': exempt['runtime/error/wire.ts'] }, /needs no test/],
    [
      'has a test by now',
      mirror,
      { 'runtime/error/error.ts': exempt['runtime/error/wire.ts'] },
      /has its test/,
    ],
    [
      'is proven by nothing',
      { ...mirror, sources: [wire] },
      { 'runtime/error/wire.ts': { provenBy: 'test/gone', reason: 'Why not.' } },
      /test\/gone/,
    ],
  ])('refuse to exempt a file that %s', (_, from, exemption, message) => {
    expect(show(checkExemptions(from, exemption as Exemptions))).toEqual([expect.stringMatching(message)])
  })

  it('exempt a file that is proven elsewhere', () => {
    const from = { ...mirror, sources: [wire] }
    expect(checkExemptions(from, exempt)).toEqual([])
    expect(checkCoverage(from, exempt)).toEqual([])
  })
})
