import { isBuiltin } from 'node:module'
import { type SourceFile, visit } from '../support/source-files.ts'
import { type Finding, findingAt } from './finding.ts'
import { type ModuleReference, packageOf, referencesOf, targetOf } from './imports.ts'

/** The direction of imports. An area is a folder such as `runtime/error`, or a file right below `runtime/`. */
export interface Layers {
  /** Areas of `runtime/` by name: each imports lower ranks and itself. */
  readonly ranks: Readonly<Record<string, number>>
  /**
   * Areas of `runtime/` that nothing imports, and that import packages and themselves only. Of isoplex they import
   * what anybody may: by area, the names under which it is published.
   */
  readonly separate: Readonly<Record<string, readonly string[]>>
  /** Areas of `adapters/` by name, and the areas that each may import beside itself. */
  readonly adapters: Readonly<Record<string, readonly string[]>>
  /** The areas that may import adapters. */
  readonly adapterUsers: readonly string[]
  /** Areas, and single files of others, that must run in a page, and so import only each other and `browserPackages`. */
  readonly browserSafe: readonly string[]
  readonly browserPackages: readonly string[]
  /** Packages that only some areas may import; `@a/*` stands for all of a scope. */
  readonly packageOwners: Readonly<Record<string, readonly string[]>>
  /** Areas whose files others may name by URL: they start processes and workers or make pages, and are not imported. */
  readonly namedByUrl: readonly string[]
}

const functionRule = "a function imports 'isoplex', files of functions/ and npm packages only"

/** Every import of `runtime/`, `adapters/` and `functions/` that goes against the layers. */
export function checkLayers(sources: readonly SourceFile[], layers: Layers): Finding[] {
  return sources.flatMap((source) => {
    const area = areaOf(source.path)
    const unknown = describeUnknownArea(area, layers)
    if (unknown !== null) return [{ path: source.path, line: 1, problem: unknown }]
    const findings: Finding[] = []
    for (const reference of referencesOf(source)) {
      const problem = describeReference(source.path, reference, layers)
      if (problem !== null) findings.push({ path: source.path, line: reference.line, problem })
    }
    if (browserSafePartOf(source.path, layers) !== null) findings.push(...checkGlobals(source))
    return findings
  })
}

/** The area that a path belongs to: two folders deep in `runtime/` and `adapters/`, else the top folder. */
export function areaOf(path: string): string {
  const [top = '', second] = path.split('/')
  return second !== undefined && (top === 'runtime' || top === 'adapters') ? `${top}/${second}` : top
}

function describeUnknownArea(area: string, { ranks, separate, adapters }: Layers): string | null {
  const [top, name = ''] = area.split('/')
  const known =
    top === 'functions' ||
    (top === 'runtime'
      ? Object.hasOwn(ranks, name) || Object.hasOwn(separate, area)
      : Object.hasOwn(adapters, name))
  if (known) return null
  return `is in ${area}, which the direction table does not know; give it its place in test/repo/layers.test.ts`
}

function describeReference(path: string, reference: ModuleReference, layers: Layers): string | null {
  const area = areaOf(path)
  const { specifier } = reference
  const target = targetOf(path, specifier)
  if (target !== null) {
    if (reference.kind === 'url' && mayNameByUrl(area, target, layers)) return null
    return target === 'package.json' ? null : describeTarget(path, target, layers)
  }
  if (/^(?:\/|file:)/.test(specifier)) {
    return `imports ${specifier} by an absolute path; import it by a relative one`
  }
  if (isBuiltin(specifier) || /^bun(?::|$)/.test(specifier)) return describeBuiltin(path, specifier, layers)
  return describePackage(path, specifier, layers)
}

function mayNameByUrl(area: string, target: string, { namedByUrl, separate }: Layers): boolean {
  if (!/\.tsx?$/.test(target) || namedByUrl.includes(areaOf(target))) return true
  return namedByUrl.includes(area) && !Object.hasOwn(separate, area)
}

/** The area of a file, or the file itself, that must run in a page; `null` where it need not. */
function browserSafePartOf(path: string, { browserSafe }: Layers): string | null {
  return [areaOf(path), path].find((part) => browserSafe.includes(part)) ?? null
}

function describeTarget(path: string, target: string, layers: Layers): string | null {
  const area = areaOf(path)
  const targetArea = areaOf(target)
  const imports = `imports ${target}`
  const safePart = browserSafePartOf(path, layers)
  if (safePart !== null && browserSafePartOf(target, layers) === null) {
    const part = safePart === area ? targetArea : target
    return `${imports}, but ${safePart} runs in the browser too and ${part} does not`
  }
  if (targetArea === area) return null
  if (area === 'functions') return `${imports}; ${functionRule}`
  if (area.startsWith('adapters/')) {
    const allowed = layers.adapters[area.slice('adapters/'.length)] ?? []
    return allowed.includes(targetArea) ? null : `${imports}; ${area} may import ${allowed.join(', ')} only`
  }
  if (targetArea.startsWith('adapters/')) {
    const users = layers.adapterUsers.join(', ')
    return layers.adapterUsers.includes(area)
      ? null
      : `${imports}; adapters are chosen in ${users} only: take an Engine as a parameter`
  }
  return describeRank(area, target, layers)
}

function describeBuiltin(path: string, name: string, layers: Layers): string | null {
  if (areaOf(path) === 'functions' && !path.startsWith('functions/_models/')) {
    return `imports ${name}; ${functionRule}`
  }
  const safePart = browserSafePartOf(path, layers)
  if (safePart === null) return null
  return `imports ${name}, but ${safePart} runs in the browser too; hand in what it needs from outside`
}

function describeRank(area: string, target: string, { ranks, separate }: Layers): string | null {
  const targetArea = areaOf(target)
  const imports = `imports ${target}`
  if (Object.hasOwn(separate, area) || Object.hasOwn(separate, targetArea)) {
    return `${imports}; ${Object.hasOwn(separate, area) ? area : targetArea} stands alone and talks over HTTP only`
  }
  if (target === 'runtime/index.ts') return `${imports}, which is for functions; import the file that has it`
  const rank = ranks[area.slice('runtime/'.length)]
  const targetRank = ranks[targetArea.slice('runtime/'.length)]
  if (rank === undefined || targetRank === undefined) {
    return `${imports}, which is in no folder of the direction table of test/repo/layers.test.ts`
  }
  if (targetRank < rank) return null
  return `${imports} (rank ${targetRank}); ${area} (rank ${rank}) may import lower ranks and itself only`
}

function describePackage(path: string, specifier: string, layers: Layers): string | null {
  const area = areaOf(path)
  const name = packageOf(specifier)
  if (path.startsWith('functions/_models/')) return null
  if (name === 'isoplex') {
    const published = layers.separate[area]
    if (area === 'functions' || published?.includes(specifier)) return null
    return published === undefined
      ? 'imports isoplex, its own package; import the file that has it'
      : `imports ${specifier}; of isoplex ${area} may import ${published.join(', ')} only`
  }
  const owners = Object.entries(layers.packageOwners).find(
    ([owned]) => owned === name || (owned.endsWith('/*') && name.startsWith(owned.slice(0, -1))),
  )?.[1]
  if (owners !== undefined && !owners.includes(area)) {
    return `imports ${name}, which belongs to ${owners.join(' and ')} alone; use what that exports`
  }
  if (browserSafePartOf(path, layers) === null || layers.browserPackages.includes(name)) return null
  return `imports ${name}, but ${area} runs in the browser too, where only ${layers.browserPackages.join(', ')} are known to work`
}

function checkGlobals(source: SourceFile): Finding[] {
  const findings: Finding[] = []
  const add = (name: string, offset: number): void => {
    const problem = `uses ${name}, which a browser does not have; hand in what it needs from outside`
    findings.push(findingAt(source, offset, problem))
  }
  visit(source, {
    Identifier: ({ name, start }) => {
      if (name === 'Bun') add(name, start)
    },
    MemberExpression: ({ object }) => {
      if (object.type !== 'Identifier') return
      if (object.name === 'Buffer' || object.name === 'process') add(object.name, object.start)
    },
  })
  return findings
}
