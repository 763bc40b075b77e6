import { isDeepStrictEqual } from 'node:util'
import type { BrokenFunction, Manifest } from '../build/manifest.ts'

/** What has come about between two manifests. */
export interface ManifestChange {
  /** Functions by name that are served from now on, served by other code, and served no more. */
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
  /** Files that are broken, or broken in another way than before. */
  readonly broken: readonly BrokenFunction[]
  /** Files that were broken and are served as they stand. */
  readonly mended: readonly string[]
}

/** Compares two manifests. A function under another name is another one. */
export function compareManifests(last: Manifest, next: Manifest): ManifestChange {
  const before = new Map(last.functions.map((fn) => [fn.name, fn]))
  const after = new Map(next.functions.map((fn) => [fn.name, fn]))
  const mistakes = new Map(last.broken.map((mistake) => [mistake.file, mistake]))
  const stillBroken = new Set(next.broken.map(({ file }) => file))
  const names = [...after.keys()]
  return Object.freeze({
    added: names.filter((name) => !before.has(name)),
    changed: names.filter(
      (name) => before.has(name) && !isDeepStrictEqual(before.get(name), after.get(name)),
    ),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    broken: next.broken.filter((mistake) => !isDeepStrictEqual(mistakes.get(mistake.file), mistake)),
    mended: next.functions
      .map(({ file }) => file)
      .filter((file) => mistakes.has(file) && !stillBroken.has(file)),
  })
}
