import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ESTree, parseSync, Visitor, type VisitorObject } from 'rolldown/utils'

/** The folder that holds the whole repository. */
export const repository: string = fileURLToPath(new URL('../..', import.meta.url))

/** A comment without its marks; a doc comment's text begins with `*`. */
export interface SourceComment {
  readonly type: 'Line' | 'Block'
  readonly value: string
  readonly start: number
  readonly end: number
}

/** Any node of a syntax tree, told apart by its `type`. */
export type SyntaxNode = ESTree.Node

/** A TypeScript or JavaScript file, read and parsed. Offsets count UTF-16 units of `text`. */
export interface SourceFile {
  /** Where it lies, from the top of the repository, with `/` between. */
  readonly path: string
  readonly text: string
  readonly program: ESTree.Program
  readonly comments: readonly SourceComment[]
}

/**
 * Parses one file's text.
 *
 * @throws {SyntaxError} naming file, line and mistake where it cannot be parsed.
 */
export function parseSource(path: string, text: string): SourceFile {
  const { program, comments, errors } = parseSync(path, text, { sourceType: 'module' })
  const [mistake] = errors
  if (mistake !== undefined) {
    const line = lineAt(text, mistake.labels[0]?.start ?? 0)
    throw new SyntaxError(`${path}:${line} does not parse: ${mistake.message}`)
  }
  return { path, text, program, comments }
}

/** Every file below these folders (a file stands for itself), sorted; one that does not exist holds none. */
export function listFiles(places: readonly string[]): string[] {
  return places.flatMap((place) => {
    const path = join(repository, place)
    const facts = statSync(path, { throwIfNoEntry: false })
    if (facts?.isDirectory() !== true) return facts === undefined ? [] : [place]
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(repository, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
      .sort()
  })
}

/** The text of one file, by its path from the top of the repository. */
export function readText(path: string): string {
  return readFileSync(join(repository, path), 'utf8')
}

/** Reads and parses every TypeScript and JavaScript file below these folders. */
export function readSources(folders: readonly string[]): SourceFile[] {
  return listFiles(folders)
    .filter((path) => /\.[cm]?[jt]sx?$/.test(path))
    .map((path) => parseSource(path, readText(path)))
}

/** Calls the handlers for every node of their kind, a parent before its children. */
export function visit(source: SourceFile, handlers: VisitorObject): void {
  new Visitor(handlers).visit(source.program)
}

/** The line, from 1, that holds an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line++
  return line
}
