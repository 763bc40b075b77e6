import { type SourceFile, type SyntaxNode, visit } from '../support/source-files.ts'
import { type Finding, findingAt } from './finding.ts'

const tableFile = 'runtime/error/codes.ts'

/** Named exports without a doc comment right above them. Of overloads the first one has it. */
export function checkExportDocs(source: SourceFile): Finding[] {
  const findings: Finding[] = []
  let previous: string | null = null
  for (const statement of source.program.body) {
    if (statement.type !== 'ExportNamedDeclaration' || statement.source !== null) {
      previous = null
      continue
    }
    if (statement.declaration === null) {
      const problem = 'exports by a list; export where it is declared, below its doc comment'
      findings.push(findingAt(source, statement.start, problem))
      continue
    }
    const name = nameOf(source, statement.declaration)
    if (name !== previous && !hasDoc(source, statement.start)) {
      const problem = `exports ${name} without a doc comment right above it; say there what it is for`
      findings.push(findingAt(source, statement.start, problem))
    }
    previous = name
  }
  return findings
}

/** `@throws` tags for our own errors that name no code, or one that is not in the table. */
export function checkThrowsTags(source: SourceFile, codes: readonly string[]): Finding[] {
  return source.comments.flatMap((comment) =>
    [...comment.value.matchAll(/@throws(?:\s+\{(?<type>\w+)\})?(?<text>(?:[^@]|(?<=\{)@)*)/g)].flatMap(
      (tag) => {
        const { type = 'IsoplexError', text = '' } = tag.groups ?? {}
        if (type !== 'IsoplexError') return []
        const named = [...text.matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, code = '']) => code)
        const problems = named
          .filter((code) => !codes.includes(code))
          .map((code) => `says that it throws ${code}, which is not in ${tableFile}`)
        if (named.length === 0 && !text.includes('{@link')) {
          problems.push(
            'says that it throws an IsoplexError and names no code; name it, or {@link} what does',
          )
        }
        return problems.map((problem) => findingAt(source, comment.start + 2 + tag.index, problem))
      },
    ),
  )
}

/** Codes of the table that stand nowhere else as a string: nothing throws them. */
export function checkUnusedCodes(sources: readonly SourceFile[], codes: readonly string[]): Finding[] {
  const table = sources.find(({ path }) => path === tableFile)
  if (table === undefined) return [{ path: tableFile, line: 1, problem: 'is not there' }]
  const used = new Set(sources.filter((source) => source !== table).flatMap(stringsOf))
  return codes
    .filter((code) => !used.has(code))
    .map((code) => {
      const problem = `has ${code}, which nothing throws; throw it where it belongs, or take it out of the table`
      return findingAt(table, table.text.indexOf(`${code}:`), problem)
    })
}

function stringsOf(source: SourceFile): string[] {
  const strings: string[] = []
  visit(source, {
    Literal: (node) => {
      if (typeof node.value === 'string') strings.push(node.value)
    },
  })
  return strings
}

function nameOf(source: SourceFile, declaration: SyntaxNode): string {
  if (declaration.type === 'VariableDeclaration') {
    return declaration.declarations.map(({ id }) => textOf(source, id).replace(/:.*/s, '')).join(', ')
  }
  return 'id' in declaration && declaration.id !== null ? textOf(source, declaration.id) : declaration.type
}

function hasDoc(source: SourceFile, start: number): boolean {
  const above = source.comments.findLast((comment) => comment.end <= start)
  if (above === undefined || !/^[ \t]*\r?\n[ \t]*$/.test(source.text.slice(above.end, start))) return false
  if (above.type === 'Line') return hasDoc(source, above.start)
  return above.value.startsWith('*') && /\w/.test(above.value)
}

function textOf(source: SourceFile, node: SyntaxNode): string {
  return source.text.slice(node.start, node.end)
}
