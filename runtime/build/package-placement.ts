import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** A package, and where it is to lie. */
export interface PlacedPackage {
  readonly name: string
  readonly version: string
  /** The folder that it lies in now, without links. */
  readonly source: string
  /** The folder that it is to lie in, seen from the folder that is written; with forward slashes. */
  readonly target: string
}

/** A folder that packages are found from, and the packages that are needed there. */
export interface PackageNeed {
  /** Where the looking begins: there, and in the folders above. */
  readonly from: string
  /** Where what is found is to be found from later: a folder in the one that is written; `''` is that itself. */
  readonly target: string
  readonly names: readonly string[]
}

interface PackageFacts {
  readonly name?: string
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/**
 * Finds packages with all that they need in turn, and a place for each such that everyone finds the very one that it
 * finds now: as high as it goes, and where another of that name lies there already, inside of who needs it. What is not
 * installed is left out where it is optional, as packages for other machines are.
 *
 * @throws {Error} naming the package that is needed and not there.
 */
export async function placePackages(needs: readonly PackageNeed[]): Promise<readonly PlacedPackage[]> {
  const placed = new Map<string, PlacedPackage>()
  const waiting: { need: PackageNeed; name: string; optional: boolean }[] = needs.flatMap((need) =>
    need.names.map((name) => ({ need, name, optional: false })),
  )
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const { need, name, optional } = next
    const source = await findPackage(name, need.from)
    if (source === null) {
      if (optional) continue
      throw new Error(`The package "${name}" is needed and not installed where ${need.from} would find it.`)
    }
    const target = placeFor(name, source, need.target, placed)
    if (placed.has(target)) continue
    const facts: PackageFacts = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'))
    placed.set(target, { name, version: facts.version ?? '', source, target })
    const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = facts
    const below = (names: readonly string[], ifAny: boolean): void => {
      const inner = { from: source, target, names }
      for (const each of names) waiting.push({ need: inner, name: each, optional: ifAny })
    }
    below(
      Object.keys(dependencies).filter((each) => !Object.hasOwn(optionalDependencies, each)),
      false,
    )
    below([...Object.keys(optionalDependencies), ...Object.keys(peerDependencies)], true)
  }
  return [...placed.values()].toSorted((left, right) => (left.target < right.target ? -1 : 1))
}

/** The highest folder in which nothing, or this very package, lies under the name. */
function placeFor(
  name: string,
  source: string,
  from: string,
  placed: ReadonlyMap<string, PlacedPackage>,
): string {
  const folders = [from]
  for (let at = from; at !== ''; ) {
    const cut = at.lastIndexOf('/node_modules/')
    at = cut < 0 ? '' : at.slice(0, cut)
    folders.push(at)
  }
  let best: string | null = null
  // From below upwards, as the looking goes: what lies under the name on the way would be found first.
  for (const folder of folders) {
    const target = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`
    const there = placed.get(target)
    if (there && there.source !== source) break
    best = target
    if (there) return target
  }
  return best ?? `${from === '' ? '' : `${from}/`}node_modules/${name}`
}

async function findPackage(name: string, from: string): Promise<string | null> {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', name)
    if (await isFile(join(path, 'package.json'))) return await realpath(path)
    if (dirname(folder) === folder) return null
  }
}

async function isFile(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}
