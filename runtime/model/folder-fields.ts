import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inputInvalid } from './input.ts'
import { isJsonObject } from './json-file.ts'
import { fieldsFileName, findModelFile, type ModelFile } from './model-files.ts'
import { findPackageModel } from './package-model.ts'

/** What a model's folder says of the model beside its files. */
export interface FolderFields {
  readonly fields: Readonly<Record<string, unknown>>
  /** Where that is written; `null` where it is not. */
  readonly file: ModelFile | null
  /** The file of an installed package that is the model, where `from` names one. */
  readonly model: ModelFile | null
}

/** Nobody says that much of a model by hand. */
const mostBytes = 65_536

/**
 * Reads the fields of a model from `isoplex.json` in its folder, such as `{ "browser": true }`: what `--field` says
 * of a model that is added by hand. The file is no part of the model. Where there is none, or no folder, there are
 * no fields. Its `from` is no field: it names a file of an installed package, as {@link findPackageModel} has it, that
 * is the model in place of what lies in the folder.
 *
 * @throws {IsoplexError} `INPUT_INVALID` where it holds no JSON object, or `from` names nothing that is there;
 * `ARTIFACT_BROKEN` where it is a link.
 */
export async function readFolderFields(folder: string): Promise<FolderFields> {
  const file = await findModelFile(join(folder, fieldsFileName), fieldsFileName)
  if (file === null) return { fields: {}, file, model: null }
  const said = file.sizeBytes > mostBytes ? undefined : parse(await readFile(file.path, 'utf8'))
  if (isJsonObject(said)) {
    const { from, ...fields } = said
    return { fields, file, model: from === undefined ? null : await findPackageModel(folder, from) }
  }
  const mustBe = `must be a JSON object of ${mostBytes} bytes at most, such as { "browser": true }`
  throw inputInvalid([{ path: `/${fieldsFileName}`, message: mustBe }])
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
