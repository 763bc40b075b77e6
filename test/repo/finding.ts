import { lineAt, type SourceFile } from '../support/source-files.ts'

/** One place that breaks a rule of the repository, and what to do about it. */
export interface Finding {
  readonly path: string
  readonly line: number
  readonly problem: string
}

/** A finding at an offset of a source file. */
export function findingAt(source: SourceFile, offset: number, problem: string): Finding {
  return { path: source.path, line: lineAt(source.text, offset), problem }
}

/** How a finding reads: a path and line that editors can open, then the problem. */
export function formatFinding({ path, line, problem }: Finding): string {
  return `${path}:${line} ${problem}`
}

/** @throws {Error} that lists every finding, where there is one. */
export function assertNoFindings(findings: readonly Finding[]): void {
  if (findings.length === 0) return
  const places = findings.length === 1 ? '1 place breaks' : `${findings.length} places break`
  throw new Error([`${places} this rule:`, ...findings.map(formatFinding)].join('\n  '))
}
