import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { LibraryFacts } from '../../runtime/engine/machine-facts.ts'
import { readSharedLibraryNeeds } from './shared-library.ts'

/** Where the dynamic loader of a machine looks. */
export interface LibrarySearch {
  /** Whether the loader would find a library by this name, for a library with the given search path of its own. */
  finds(name: string, searchPath?: readonly string[]): boolean
}

/**
 * The loader's places: the library's own search path, `LD_LIBRARY_PATH`, the cache that `ldconfig` writes, and
 * the folders that are always searched. Nothing is loaded.
 *
 * @param root the root of the file system
 */
export function createLibrarySearch(
  root: string,
  environment: Readonly<Record<string, string | undefined>>,
): LibrarySearch {
  const named = (environment.LD_LIBRARY_PATH ?? '').split(/[:;]/).filter((folder) => folder !== '')
  const always = ['/lib', '/usr/lib', '/lib64', '/usr/lib64'].map((folder) => join(root, folder))
  let cache: string | undefined
  return {
    finds(name, searchPath = []) {
      if ([...searchPath, ...named, ...always].some((folder) => existsSync(join(folder, name)))) return true
      // The cache holds each library's path as a C string; its other fields are of no interest here.
      cache ??= readCache(join(root, '/etc/ld.so.cache'))
      return cache.includes(`/${name}\0`)
    },
  }
}

/**
 * Whether what a provider's library needs is there: the library itself, what it says that it needs, and
 * `alsoNeeded`, which it loads by name when first used.
 */
export function findProviderLibraries(
  search: LibrarySearch,
  path: string,
  alsoNeeded: readonly string[],
): LibraryFacts {
  const own = path.slice(path.lastIndexOf('/') + 1)
  const needs = readSharedLibraryNeeds(path)
  if (needs === null) return { found: [], missing: [own] }
  const searchPath = needs.searchPath.map((folder) =>
    folder.replaceAll(/\$ORIGIN|\$\{ORIGIN\}/g, dirname(path)),
  )
  const names = [...new Set([...needs.libraries, ...alsoNeeded])]
  return {
    found: [own, ...names.filter((name) => search.finds(name, searchPath))],
    missing: names.filter((name) => !search.finds(name, searchPath)),
  }
}

function readCache(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
