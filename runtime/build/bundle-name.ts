import { functionNameOf } from '../route/pattern.ts'

/** A function's name as one word that file names and JSON pointers can hold as it stands. */
export function flatName(name: string): string {
  return name.replaceAll('/', '--').replace(/[^\w.-]/g, '_')
}

/** The file name of a function's bundle; `file` is relative to the functions folder. */
export function bundleNameOf(file: string, hash: string): string {
  return `${flatName(functionNameOf(file))}-${hash}.js`
}
