import type { SourceFile } from '../support/source-files.ts'
import type { Finding } from './finding.ts'
import { referencesOf, targetOf } from './imports.ts'

/** Every circle of files that import each other's values; what TypeScript erases closes no circle. */
export function checkCycles(sources: readonly SourceFile[]): Finding[] {
  const graph = new Map(sources.map((source) => [source.path, importedFiles(source)]))
  const findings: Finding[] = []
  const done = new Set<string>()
  const walk = (path: string, trail: readonly string[]): void => {
    for (const [target, line] of graph.get(path) ?? []) {
      const circle = [...trail, path]
      const first = circle.indexOf(target)
      if (first !== -1) findings.push({ path, line, problem: describe([...circle.slice(first), target]) })
      else if (!done.has(target)) walk(target, circle)
    }
    done.add(path)
  }
  for (const path of graph.keys()) if (!done.has(path)) walk(path, [])
  return findings
}

function importedFiles(source: SourceFile): Map<string, number> {
  const files = new Map<string, number>()
  for (const { specifier, kind, line } of referencesOf(source)) {
    const target = targetOf(source.path, specifier)
    if (kind === 'value' && target !== null && !files.has(target)) files.set(target, line)
  }
  return files
}

function describe(circle: readonly string[]): string {
  return `closes a circle: ${circle.join(' -> ')}; move what both need into a file of its own, or write import type`
}
