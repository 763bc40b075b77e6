import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LibraryFacts } from '../../runtime/engine/machine-facts.ts'
import { readSharedLibraryNeeds } from './shared-library.ts'

/** Where the dynamic loader of a machine looks. */
export interface LibrarySearch {
  /** Whether the loader would find a library by this name, for one that has a search path of its own. */
  finds(name: string, searchPath?: readonly string[]): boolean
}

// The folders that Debian and its kin give libraries of a processor, by Node's name for it.
const processorFolders = new Map([
  ['x64', 'x86_64-linux-gnu'],
  ['arm64', 'aarch64-linux-gnu'],
])

/**
 * The loader's places: the library's own search path, `LD_LIBRARY_PATH`, the cache that `ldconfig` writes, and
 * the folders that are always searched. Nothing is loaded.
 *
 * @param root the root of the file system
 */
export function createLibrarySearch(
  root: string,
  architecture: string,
  environment: Readonly<Record<string, string | undefined>>,
): LibrarySearch {
  const processor = processorFolders.get(architecture) ?? ''
  const named = (environment.LD_LIBRARY_PATH ?? '').split(/[:;]/).filter((folder) => folder !== '')
  const bases = ['/lib', '/usr/lib']
  const always = bases.flatMap((base) => [base, `${base}64`, join(base, processor)])
  let cache: string | undefined
  return {
    finds(name, searchPath = []) {
      if ([...searchPath, ...named].some((folder) => existsSync(join(folder, name)))) return true
      if (always.some((folder) => existsSync(join(root, folder, name)))) return true
      // The cache holds each library's path as a C string; its other fields are of no interest here.
      cache ??= readCache(join(root, '/etc/ld.so.cache'))
      return cache.includes(`/${name}\0`)
    },
  }
}

/**
 * Whether what a provider outside the runtime needs is there: its own libraries beside the binding, what they
 * say that they need, and cuDNN, which they load by name when a node first needs it. A library of its own that
 * is damaged counts as missing.
 */
export function findProviderLibraries(
  search: LibrarySearch,
  provider: 'cuda' | 'tensorrt',
  bindingFolder: string,
): LibraryFacts {
  const own = ['shared', provider].map((name) => `libonnxruntime_providers_${name}.so`)
  const read = own.map((name) => readSharedLibraryNeeds(join(bindingFolder, name)))
  const missing = own.filter((_, index) => read[index] === null)
  if (missing.length > 0) return { found: own.filter((name) => !missing.includes(name)), missing }
  const needs = read.filter((library) => library !== null)
  const searchPath = needs
    .flatMap((library) => library.searchPath)
    .map((folder) => folder.replaceAll(/\$ORIGIN|\$\{ORIGIN\}/g, bindingFolder))
  const names = [...new Set([...needs.flatMap((library) => library.libraries), 'libcudnn.so.9'])]
  const found = names.filter((name) => search.finds(name, searchPath))
  return { found: [...own, ...found], missing: names.filter((name) => !found.includes(name)) }
}

function readCache(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
