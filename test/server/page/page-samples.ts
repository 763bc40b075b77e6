import { join } from 'node:path'
import { hashText } from '../../../runtime/build/content-hash.ts'
import type { AssetRole, AssetSet } from '../../../runtime/build/page/asset-set.ts'
import { fileNameOf } from '../../../runtime/build/page/file-name.ts'
import type { Scratch } from '../../model/scratch.ts'

/** A name for a text that the file may then have. */
export function nameFor(stem: string, text: string, extension = 'js'): string {
  return fileNameOf(stem, hashText(text), extension)
}

const roles: readonly (readonly [role: AssetRole, extension: string])[] = [
  ['worker', 'js'],
  ['client', 'js'],
  ['webgpuModule', 'mjs'],
  ['webgpuWasm', 'wasm'],
  ['wasmModule', 'mjs'],
  ['wasmWasm', 'wasm'],
]

/** Writes a set of files for pages, each of which says what it is for at some length. */
export async function writeAssets(scratch: Scratch, text = ''): Promise<AssetSet> {
  const names = await Promise.all(
    roles.map(async ([role, extension]) => {
      const content = `${text}// ${role}\n`.repeat(500)
      const name = nameFor(role, content, extension)
      await scratch.write(join('assets', name), content)
      return [role, name] as const
    }),
  )
  const directory = scratch.path('assets')
  const files = names.map(([, name]) => name).toSorted()
  return { directory, names: Object.fromEntries(names), onnxVersion: '1.2.3', files }
}
