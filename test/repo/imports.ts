import { posix } from 'node:path'
import { lineAt, type SourceFile, type SyntaxNode, visit } from '../support/source-files.ts'

/** One place where a file names another module. */
export interface ModuleReference {
  /** As it is written, with `*` for each part that only the run knows. */
  readonly specifier: string
  /** `value` loads the module, `type` is erased, `url` only tells where it lies. */
  readonly kind: 'value' | 'type' | 'url'
  readonly line: number
}

/**
 * Every module that a file names: imports and re-exports, `import()`, `require()` and `require.resolve()`,
 * `import.meta.resolve()`, `typeof import()`, and places made of `import.meta.url`.
 */
export function referencesOf(source: SourceFile): ModuleReference[] {
  const references: ModuleReference[] = []
  const add = (node: SyntaxNode | null | undefined, kind: ModuleReference['kind'], base = ''): void => {
    const specifier = literalText(node)
    if (node == null || specifier === null) return
    references.push({ specifier: base + specifier, kind, line: lineAt(source.text, node.start) })
  }
  visit(source, {
    ImportDeclaration: (node) => add(node.source, node.importKind === 'type' ? 'type' : 'value'),
    ExportNamedDeclaration: (node) => add(node.source, node.exportKind === 'type' ? 'type' : 'value'),
    ExportAllDeclaration: (node) => add(node.source, node.exportKind === 'type' ? 'type' : 'value'),
    ImportExpression: (node) => add(node.source, 'value'),
    TSImportType: (node) => add(node.source, 'type'),
    TSExternalModuleReference: (node) => add(node.expression, 'value'),
    CallExpression: (node) => {
      const callee = textOf(source, node.callee)
      if (/^(?:import\.meta\.)?require$/.test(callee)) add(node.arguments[0], 'value')
      if (/^(?:import\.meta|require|createRequire\(.*\))\.resolve$/.test(callee))
        add(node.arguments[0], 'url')
    },
    NewExpression: (node) => {
      const [place, base] = node.arguments
      if (base === undefined || textOf(source, base) !== 'import.meta.url') return
      // Unlike an import, a URL without a leading dot is relative too.
      add(place, 'url', /^(?:\.|\/|\w+:)/.test(literalText(place) ?? '') ? '' : './')
    },
  })
  return references
}

/** Where a relative specifier leads, from the top of the repository; `null` for a package or a builtin. */
export function targetOf(path: string, specifier: string): string | null {
  return /^\.{1,2}(?:\/|$)/.test(specifier) ? posix.join(posix.dirname(path), specifier) : null
}

/** The package of a bare specifier: `@a/b` of `@a/b/c`. */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function literalText(node: SyntaxNode | null | undefined): string | null {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node?.type === 'TemplateLiteral') return node.quasis.map((part) => part.value.cooked).join('*')
  return null
}

function textOf(source: SourceFile, node: SyntaxNode): string {
  return source.text.slice(node.start, node.end)
}
