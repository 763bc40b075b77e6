import type { SourceImport } from './bundle-mistake.ts'

/** What a build read: each file, relative to the project, with what it imports. */
export type ImportGraph = Bun.BuildMetafile['inputs']

/** How a function file comes to import something. */
export interface ImportChain {
  /** The project's own files on the way, then packages by their names, then what is imported. */
  readonly links: readonly string[]
  /** The import in the last of the project's own files. */
  readonly import: SourceImport
}

/**
 * The project's own files among what was read from an entry on: those that it reaches without entering a package.
 * `known` are files that are known to be own ones, however they are imported.
 */
export function ownFilesOf(graph: ImportGraph, entry: string, known: ReadonlySet<string>): readonly string[] {
  const own = new Set([entry])
  for (const file of own) {
    for (const { path, original = path } of graph[file]?.imports ?? []) {
      if (path in graph && isOwnImport(path, original, known)) own.add(path)
    }
  }
  return [...own].sort()
}

/** The shortest way from an entry to an import that stands somewhere in the graph. `own` are the project's files. */
export function findChain(
  graph: ImportGraph,
  entry: string,
  found: SourceImport,
  own: ReadonlySet<string>,
): ImportChain {
  const last = found.file in graph ? found : passedOn(graph, found)
  const way = wayTo(graph, entry, last)
  const links: string[] = []
  for (const [index, { file }] of way.entries()) {
    const entered = way[index - 1]?.specifier ?? ''
    const link = own.has(file) ? file : (packageNameOf(entered) ?? links.at(-1) ?? file)
    if (link !== links.at(-1)) links.push(link)
  }
  if (last !== found) links.push(packageNameOf(last.specifier) ?? last.specifier)
  return { links: [...links, found.specifier], import: way.findLast(({ file }) => own.has(file)) ?? found }
}

/** The import of a module that only passes on what it imports: the bundler leaves that out of the graph. */
function passedOn(graph: ImportGraph, found: SourceImport): SourceImport {
  for (const [file, { imports }] of Object.entries(graph)) {
    const edge = imports.find(({ path }) => path === found.specifier)
    if (edge) return { file, specifier: edge.original ?? edge.path }
  }
  return found
}

/** The imports from an entry's own to the one that was found. */
function wayTo(graph: ImportGraph, entry: string, found: SourceImport): readonly SourceImport[] {
  const importers = importersFrom(graph, entry)
  const way = [found]
  for (let step = importers.get(found.file); step; step = importers.get(step.file)) way.unshift(step)
  return way
}

/** By which import each file was reached first; breadth before depth, so by the fewest. */
function importersFrom(graph: ImportGraph, entry: string): ReadonlyMap<string, SourceImport> {
  const importers = new Map<string, SourceImport>()
  const reached = new Set([entry])
  for (const file of reached) {
    for (const { path, original: specifier = path } of graph[file]?.imports ?? []) {
      if (!(path in graph) || reached.has(path)) continue
      reached.add(path)
      importers.set(path, { file, specifier })
    }
  }
  return importers
}

function isOwnImport(path: string, specifier: string, known: ReadonlySet<string>): boolean {
  return known.has(path) || (/^[./#]/.test(specifier) && !path.includes('node_modules/'))
}

/** The package that an import names; `null` where it names a file. */
function packageNameOf(specifier: string): string | null {
  return /^(?![./#])(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? null
}
