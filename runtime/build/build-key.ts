import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BuildDirectories, BuildMode } from './bundle.ts'
import { hashFile, hashText } from './content-hash.ts'

/** What installers and Bun leave in a project, or above it, which says what is installed and how it is found. */
const records = [
  'bunfig.toml',
  'bun.lock',
  'bun.lockb',
  'package-lock.json',
  'npm-shrinkwrap.json',
  'yarn.lock',
  'pnpm-lock.yaml',
  'node_modules/.package-lock.json',
  'node_modules/.modules.yaml',
]
const runtimeDirectory = fileURLToPath(new URL('..', import.meta.url))
/** The parts of isoplex that decide what comes of a function file. */
const ownParts = ['auth', 'build', 'define', 'engine', 'error', 'route']

/** Under which conditions functions are built. */
export interface BuildConditions {
  readonly directories: BuildDirectories
  /** All of the environment that functions see while they are imported. */
  readonly environment: Readonly<Record<string, string>>
  /** How bundles for browsers are made. */
  readonly mode: BuildMode
}

/**
 * The hash of all that decides over every function of a project at once: isoplex's own code, Bun, where the project
 * lies, what functions see of the environment, and what is installed.
 */
export async function buildKeyOf({ directories, environment, mode }: BuildConditions): Promise<string> {
  const { projectDirectory, functionsDirectory } = directories
  const facts = [
    mode,
    [Bun.version, Bun.revision, process.platform, process.arch],
    [projectDirectory, functionsDirectory],
    Object.entries(environment).toSorted(([left], [right]) => (left < right ? -1 : 1)),
    await Promise.all([hashOwnParts(), hashRecords(projectDirectory)]),
  ]
  return hashText(JSON.stringify(facts))
}

async function hashOwnParts(): Promise<unknown> {
  const parts = ownParts.map(async (part) => {
    const names = await readdir(join(runtimeDirectory, part))
    return hashAll(names.toSorted().map((name) => join(runtimeDirectory, part, name)))
  })
  const files = [join(dirname(runtimeDirectory), 'package.json'), join(runtimeDirectory, 'index.ts')]
  return Promise.all([hashAll(files), ...parts])
}

async function hashRecords(projectDirectory: string): Promise<unknown> {
  const paths: string[] = []
  for (let folder = projectDirectory; ; folder = dirname(folder)) {
    paths.push(...records.map((name) => join(folder, name)))
    if (dirname(folder) === folder) return hashAll(paths)
  }
}

async function hashAll(paths: readonly string[]): Promise<readonly (string | null)[]> {
  return Promise.all(paths.map(hashFile))
}
