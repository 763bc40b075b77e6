import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { functionNameOf } from '../route/pattern.ts'
import { partialSuffix } from './atomic-file.ts'
import type { FunctionManifest } from './manifest.ts'

/** A function's name as one word that file names and JSON pointers hold as it stands. */
export function flatName(name: string): string {
  return name.replaceAll('/', '--').replace(/[^\w.-]/g, '_')
}

/** The file name of a function's bundle; `functionFile` is relative to the functions folder. */
export function bundleNameOf(functionFile: string, hash: string): string {
  return `${flatName(functionNameOf(functionFile))}-${hash}.js`
}

/** The file name of a function's bundle for browsers. */
export function browserBundleNameOf(functionFile: string, hash: string): string {
  return `${flatName(functionNameOf(functionFile))}.browser-${hash}.js`
}

/** The hash in a bundle's name; `null` where the name is not that of a bundle. */
export function hashOfBundleName(name: string): string | null {
  return /^[\w.-]+-([0-9a-f]{16})\.js$/.exec(name)?.[1] ?? null
}

/** The files of a function: its bundle, and the one for browsers where it has one. */
export function bundlesOf({ bundle, browser }: FunctionManifest): readonly string[] {
  return browser ? [bundle, browser.bundle] : [bundle]
}

/** Removes the bundles that are not named, and what processes that died left half-written. */
export async function pruneBundles(directory: string, named: ReadonlySet<string>): Promise<void> {
  const present = await readdir(directory).catch(() => [])
  const surplus = present.filter((name) => {
    return name.endsWith(partialSuffix) || (hashOfBundleName(name) !== null && !named.has(name))
  })
  await Promise.all(surplus.map((name) => rm(join(directory, name), { force: true })))
}
