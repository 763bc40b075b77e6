import { type SourceFile, visit } from '../support/source-files.ts'
import type { Finding } from './finding.ts'

/** The sources and the tests that mirror them. */
export interface Mirror {
  /** Paths of all tests. */
  readonly tests: readonly string[]
  /** All of `runtime/` and `adapters/`. */
  readonly sources: readonly SourceFile[]
  /** Folders of `test/` that mirror nothing. */
  readonly ownFolders: readonly string[]
}

/** By path: files that need no test of their own name. */
export type Exemptions = Readonly<Record<string, Exemption>>

/** Where a file without a test of its own name is tested. */
export interface Exemption {
  /** The test, or the folder of tests, that fails when the file is wrong. */
  readonly provenBy: string
  readonly reason: string
}

/** Tests that are about no file of `runtime/` and no adapter. */
export function checkTestNames({ tests, sources, ownFolders }: Mirror): Finding[] {
  const adapters = adaptersOf(sources)
  return tests.flatMap((path) => {
    const [, folder = '', file = ''] = path.split('/')
    if (ownFolders.includes(folder)) return []
    if (folder === 'adapters') {
      const name = file.replace(/\.test\.ts$/, '')
      if (adapters.some((adapter) => name === adapter || name.startsWith(`${adapter}-`))) return []
      return [finding(path, `is about no adapter of that name; adapters/ has ${adapters.join(', ')}`)]
    }
    const source = path.replace(/^test\//, 'runtime/').replace(/\.test\.ts$/, '.ts')
    if (sources.some((candidate) => candidate.path === source || candidate.path === `${source}x`)) return []
    return [finding(path, `has no ${source} to test; name it after the file that it is about`)]
  })
}

/** Files of `runtime/` with logic, and adapters, that have neither a test of their name nor an exemption. */
export function checkCoverage({ tests, sources }: Mirror, exemptions: Exemptions): Finding[] {
  const files = sources
    .filter(({ path }) => path.startsWith('runtime/') && !(path in exemptions))
    .filter((source) => hasLogic(source) && !tests.includes(testOf(source.path)))
    .map(({ path }) =>
      finding(path, `has no ${testOf(path)}; write it, or say in mirror.test.ts what proves it`),
    )
  const adapters = adaptersOf(sources)
    .filter((adapter) => !tests.includes(`test/adapters/${adapter}.test.ts`))
    .map((adapter) => finding(`adapters/${adapter}`, `has no test/adapters/${adapter}.test.ts; write it`))
  return [...files, ...adapters]
}

/** Exemptions that nothing needs, or that point at no test. */
export function checkExemptions({ tests, sources }: Mirror, exemptions: Exemptions): Finding[] {
  return Object.entries(exemptions).flatMap(([path, { provenBy }]) => {
    const source = sources.find((candidate) => candidate.path === path)
    if (source === undefined) return [finding(path, 'is not there any more; take it off the list')]
    if (!hasLogic(source)) return [finding(path, 'has no logic and needs no test; take it off the list')]
    if (tests.includes(testOf(path)))
      return [finding(path, `has its test ${testOf(path)}; take it off the list`)]
    if (tests.some((test) => test === provenBy || test.startsWith(`${provenBy}/`))) return []
    return [
      finding(path, `is said to be proven by ${provenBy}, where no test is; name the test that proves it`),
    ]
  })
}

function finding(path: string, problem: string): Finding {
  return { path, line: 1, problem }
}

/** Views are tested by whoever uses their page, all of a folder together. */
function testOf(path: string): string {
  if (path.endsWith('.tsx')) return path.replace(/^runtime\//, 'test/').replace(/[^/]+$/, 'page.test.ts')
  return path.replace(/^runtime\//, 'test/').replace(/\.ts$/, '.test.ts')
}

function adaptersOf(sources: readonly SourceFile[]): string[] {
  const folders = sources.map(({ path }) => /^adapters\/([^/]+)\//.exec(path)?.[1])
  return [...new Set(folders.filter((folder) => folder !== undefined))]
}

/** Whether a file does something when it runs: it has a function, or a statement that declares nothing. */
function hasLogic(source: SourceFile): boolean {
  let found = source.program.body.some((statement) => !statement.type.endsWith('Declaration'))
  const find = (): void => {
    found = true
  }
  visit(source, { FunctionDeclaration: find, FunctionExpression: find, ArrowFunctionExpression: find })
  return found
}
