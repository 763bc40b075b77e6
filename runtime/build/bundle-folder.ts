import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { partialSuffix } from './atomic-file.ts'

const bundleName = /^[\w.-]+-[0-9a-f]{16}\.js$/

/** Removes the bundles that are not named, and what processes that died left half-written. */
export async function pruneBundles(directory: string, named: ReadonlySet<string>): Promise<void> {
  const present = await readdir(directory).catch(() => [])
  const surplus = present.filter((name) => {
    return name.endsWith(partialSuffix) || (bundleName.test(name) && !named.has(name))
  })
  await Promise.all(surplus.map((name) => rm(join(directory, name), { force: true })))
}
