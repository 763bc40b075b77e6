import { lineAt, type SourceFile, type SyntaxNode, visit } from '../support/source-files.ts'
import { type Finding, findingAt } from './finding.ts'
import { isTestCall } from './test-call.ts'

/** Comments that put something off, or that switch the type checker off. */
export function checkComments(source: SourceFile): Finding[] {
  return source.comments.flatMap(({ value, start }) => {
    const findings: Finding[] = []
    const [openEnd] = /\b(?:TODO|FIXME|XXX|HACK)\b/.exec(value) ?? []
    if (openEnd !== undefined) {
      findings.push(findingAt(source, start, `says ${openEnd}; do it now, or leave it out`))
    }
    const [directive] = /@ts-(?:ignore|nocheck)/.exec(value) ?? []
    if (directive !== undefined) {
      findings.push(findingAt(source, start, `says ${directive}; make the types right`))
    }
    if (/@ts-expect-error\W*$/.test(value)) {
      findings.push(findingAt(source, start, 'expects a type error without a reason; write why it is one'))
    }
    return findings
  })
}

/** Tests that never run, that keep others from running, or that skip where `ISOPLEX_REQUIRE` has no say. */
export function checkTestModifiers(source: SourceFile): Finding[] {
  const findings: Finding[] = []
  visit(source, {
    MemberExpression: (node) => {
      if (!isTestCall(node.object)) return
      const written = textOf(source, node)
      if (/\b(?:only|skip|todo|fails)\W*$/.test(written)) {
        findings.push(
          findingAt(source, node.start, `has ${written}; let the test run and pass, or remove it`),
        )
      }
    },
    CallExpression: (node) => {
      const callee = textOf(source, node.callee)
      if (callee === 'context.skip' && node.arguments.length === 0) {
        findings.push(
          findingAt(source, node.start, 'skips a test without a reason; give context.skip the reason'),
        )
      }
      if (!isTestCall(node.callee)) return
      if (/\.(?:skipIf|runIf)$/.test(callee) && !isAccountable(source, node.arguments[0])) {
        const problem = `has ${callee}; ask requireOrSkip of test/support/requirement.ts, or about process.platform`
        findings.push(findingAt(source, node.start, problem))
      }
      for (const argument of node.arguments) {
        const written = textOf(source, argument)
        if (argument.type !== 'ObjectExpression' || !/\b(?:only|skip|todo|fails)\b/.test(written)) continue
        findings.push(
          findingAt(source, argument.start, `has ${written}; let the test run and pass, or remove it`),
        )
      }
    },
  })
  return findings
}

/** Whether a condition is one that `ISOPLEX_REQUIRE` can turn into a failure, or only about the platform. */
function isAccountable(source: SourceFile, condition: SyntaxNode | undefined): boolean {
  if (condition === undefined) return false
  const written = textOf(source, condition)
  if (/\brequireOrSkip\(|\bprocess\.platform\b/.test(written)) return true
  if (condition.type !== 'Identifier') return false
  return source.text.includes(`const ${written} = requireOrSkip(`) || isSupported(source, written)
}

/** Whether a name is imported from `test/support/`, which asks requireOrSkip for whoever tests with it. */
function isSupported({ text }: SourceFile, name: string): boolean {
  return new RegExp(`import \\{[^}]*\\b${name}\\b[^}]*\\} from '[./]+/support/`).test(text)
}

/** Every `any`. */
export function checkTypes(source: SourceFile): Finding[] {
  const findings: Finding[] = []
  visit(source, {
    TSAnyKeyword: (node) => {
      findings.push(
        findingAt(source, node.start, 'has the type any; say what it is, or unknown and check it'),
      )
    },
  })
  return findings
}

/** Default exports outside functions, configuration and fixtures. */
export function checkDefaultExports(source: SourceFile): Finding[] {
  if (/^functions\/|\.config\.ts$|^test\/(?:.+\/)?fixtures\//.test(source.path)) return []
  const findings: Finding[] = []
  const add = (node: { readonly start: number }): void => {
    findings.push(findingAt(source, node.start, 'has a default export; only functions do: export by name'))
  }
  visit(source, {
    ExportDefaultDeclaration: add,
    ExportSpecifier: (node) => {
      if (textOf(source, node.exported) === 'default') add(node)
    },
  })
  return findings
}

const indexes: readonly string[] = ['runtime/index.ts', 'runtime/client/index.ts', 'runtime/engine/index.ts']

/** Re-exports outside the public indexes: whoever needs a thing imports the file that has it. */
export function checkReexports(source: SourceFile): Finding[] {
  if (indexes.includes(source.path)) return []
  return source.program.body
    .filter(
      (statement) =>
        statement.type === 'ExportAllDeclaration' ||
        (statement.type === 'ExportNamedDeclaration' && statement.source !== null),
    )
    .map(({ start }) =>
      findingAt(source, start, `re-exports outside ${indexes.join(' and ')}; import the file that has it`),
    )
}

/** The console in what is shipped. Trainers print how far they are. */
export function checkConsole(source: SourceFile): Finding[] {
  if (!/^(?:runtime|adapters|functions)\//.test(source.path)) return []
  if (source.path.startsWith('functions/_models/')) return []
  // Where functions run in a page, its console is their log.
  if (source.path === 'runtime/page/console-log.ts') return []
  const findings: Finding[] = []
  visit(source, {
    MemberExpression: ({ object, start }) => {
      if (object.type !== 'Identifier' || object.name !== 'console') return
      findings.push(findingAt(source, start, 'writes to the console; take a log, or write to an Output'))
    },
  })
  return findings
}

const privateWords: readonly (readonly [RegExp, string])[] = [
  [
    /(?<![\w/\\.:])(?:\/(?:root|Users)\/|\/home\/(?!ada\b))|[A-Z]:\\Users\b/g,
    'a path of one machine; make it relative, or take the made-up /home/ada',
  ],
  [/\bregistry\.\w+\.(?:com|io|org)\b/g, "a registry's host; leave it to the reader's settings"],
  [/\bissues? #?\d+\b|\b(?:closes|fixe[ds]|see) #\d+\b/gi, 'a ticket by number; say what it is about'],
]

/** Words that mean something only to those who write the repository, or on their machine. */
export function checkText(path: string, text: string): Finding[] {
  return privateWords.flatMap(([pattern, problem]) =>
    [...text.matchAll(pattern)].map(({ 0: found, index }) => ({
      path,
      line: lineAt(text, index),
      problem: `has ${found}: ${problem}`,
    })),
  )
}

function textOf(source: SourceFile, node: SyntaxNode): string {
  return source.text.slice(node.start, node.end)
}
