import type { SyntaxNode } from '../support/source-files.ts'

const registrars: readonly string[] = ['bench', 'describe', 'it', 'suite', 'test']

/** Whether a call, or the start of a chain of calls, is one of vitest's that register tests: `it.each([])('a', …)`. */
export function isTestCall(node: SyntaxNode): boolean {
  if (node.type === 'CallExpression') return isTestCall(node.callee)
  if (node.type === 'TaggedTemplateExpression') return isTestCall(node.tag)
  if (node.type === 'MemberExpression') return isTestCall(node.object)
  return node.type === 'Identifier' && registrars.includes(node.name)
}
