import { readText, type SourceFile } from '../support/source-files.ts'
import type { Finding } from './finding.ts'
import { packageOf, referencesOf, targetOf } from './imports.ts'

/** What the checks read of `package.json`. */
export interface PackageFile {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly scripts: Readonly<Record<string, string>>
}

/** What the checks read of `package-lock.json`. */
export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

/** One package as it is locked; the one without a path is ours. */
export interface LockedPackage {
  readonly version?: string
  readonly resolved?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** Dependencies that are a range, a tag or a place instead of one version. */
export function checkPins({ dependencies, devDependencies }: PackageFile): Finding[] {
  return Object.entries({ ...dependencies, ...devDependencies })
    .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
    .map(([name, version]) => atPackage(name, `takes ${name} as ${version}; pin one version`))
}

/** Packages that are imported and not declared, or that what is shipped imports and only tests declare. */
export function checkDeclared(
  sources: readonly SourceFile[],
  { dependencies, devDependencies }: PackageFile,
): Finding[] {
  return sources.flatMap((source) => {
    const shipped = !/^(?:test|functions\/_models)\//.test(source.path)
    const kind = shipped ? 'dependencies' : 'devDependencies'
    return packagesOf(source).flatMap(({ name, line }) => {
      if (name in dependencies || (!shipped && name in devDependencies)) return []
      return [
        { path: source.path, line, problem: `imports ${name}, which is not in ${kind} of package.json` },
      ]
    })
  })
}

/**
 * Dependencies that no file imports and no command uses; those that are shipped need a use in what is shipped.
 *
 * @param commands by package, the commands that it installs
 * @param scripts what the project runs: scripts of `package.json` and shebangs
 */
export function checkUsed(
  sources: readonly SourceFile[],
  { dependencies, devDependencies }: PackageFile,
  commands: Readonly<Record<string, readonly string[]>>,
  scripts: string,
): Finding[] {
  const shipped = sources.filter(({ path }) => !/^(?:test|functions\/_models)\//.test(path))
  const imported = { shipped: namesOf(shipped), all: namesOf(sources) }
  const isUsed = (name: string, uses: ReadonlySet<string>): boolean => {
    const typed = /^@types\/(.+)$/.exec(name)?.[1]
    if (typed !== undefined) return typed in dependencies || typed in devDependencies
    return uses.has(name) || (commands[name] ?? []).some((command) => hasWord(scripts, command))
  }
  return [
    ...Object.keys(dependencies).filter((name) => !isUsed(name, imported.shipped)),
    ...Object.keys(devDependencies).filter((name) => !isUsed(name, imported.all)),
  ].map((name) => atPackage(name, `has ${name}, which nothing imports or runs; take it out, or use it`))
}

/** What a lock file must not hold, or holds otherwise than `package.json`. */
export function checkLock({ packages }: LockFile, packageFile: PackageFile): Finding[] {
  const findings: Finding[] = []
  for (const [path, { resolved }] of Object.entries(packages)) {
    if (resolved !== undefined)
      findings.push(atLock(path, `holds where ${path} came from; leave resolved out`))
  }
  for (const kind of ['dependencies', 'devDependencies'] as const) {
    const locked = packages['']?.[kind] ?? {}
    for (const name of new Set([...Object.keys(locked), ...Object.keys(packageFile[kind])])) {
      const version = packageFile[kind][name]
      if (version === locked[name] && version === packages[`node_modules/${name}`]?.version) continue
      findings.push(atLock(name, `has ${name} otherwise than ${kind} of package.json; run npm install`))
    }
  }
  return findings
}

/** Entries at the top that the list lacks, and entries of the list that are not there. */
export function checkTopLevel(entries: readonly string[], expected: readonly string[]): Finding[] {
  const strange = entries.filter((entry) => !expected.includes(entry))
  const missing = expected.filter((entry) => !entries.includes(entry))
  return [
    ...strange.map((entry) => ({ path: entry, line: 1, problem: 'is new at the top; find it a folder' })),
    ...missing.map((entry) => ({ path: entry, line: 1, problem: 'is not tracked; add it' })),
  ]
}

/** Commands of the README that run a script that `package.json` does not have. */
export function checkCommands(readme: string, { scripts }: PackageFile): Finding[] {
  return readme.split('\n').flatMap((text, index) =>
    [...text.matchAll(/\b(?:(?:npm|bun) run(?: -s| --silent)? ([\w:-]+)(?![\w/.:-])|npm (test|start)\b)/g)]
      .map(([, script, short]) => script ?? short ?? '')
      .filter((script) => !(script in scripts))
      .map((script) => ({
        path: 'README.md',
        line: index + 1,
        problem: `runs the script ${script}, which package.json does not have`,
      })),
  )
}

function packagesOf(source: SourceFile): { readonly name: string; readonly line: number }[] {
  return referencesOf(source)
    .filter(({ specifier }) => targetOf(source.path, specifier) === null)
    .filter(({ specifier }) => !/^(?:\/|#|\w+:|bun$|isoplex(?:\/|$))/.test(specifier))
    .map(({ specifier, line }) => ({ name: packageOf(specifier), line }))
}

function namesOf(sources: readonly SourceFile[]): Set<string> {
  return new Set(sources.flatMap((source) => packagesOf(source).map(({ name }) => name)))
}

function hasWord(text: string, word: string): boolean {
  return text.split(/[\s;&|]+/).includes(word)
}

function atPackage(name: string, problem: string): Finding {
  return { path: 'package.json', line: lineOf('package.json', name), problem }
}

function atLock(name: string, problem: string): Finding {
  return { path: 'package-lock.json', line: lineOf('package-lock.json', name), problem }
}

function lineOf(path: string, key: string): number {
  return (
    readText(path)
      .split('\n')
      .findIndex((line) => line.includes(`"${key}":`)) + 1 || 1
  )
}
