import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inputInvalid } from './input.ts'
import { isJsonObject } from './json-file.ts'
import { fieldsFileName, findModelFile, type ModelFile } from './model-files.ts'

/** What a model's folder says of the model beside its files. */
export interface FolderFields {
  readonly fields: Readonly<Record<string, unknown>>
  /** Where that is written; `null` where it is not. */
  readonly file: ModelFile | null
}

/** Nobody says that much of a model by hand. */
const mostBytes = 65_536

/**
 * Reads the fields of a model from `isoplex.json` in its folder, such as `{ "browser": true }`: what `--field` says
 * of a model that is added by hand. The file is no part of the model. Where there is none, or no folder, there are
 * no fields.
 *
 * @throws {IsoplexError} `INPUT_INVALID` where it holds no JSON object, `ARTIFACT_BROKEN` where it is a link.
 */
export async function readFolderFields(folder: string): Promise<FolderFields> {
  const file = await findModelFile(join(folder, fieldsFileName), fieldsFileName)
  if (file === null) return { fields: {}, file }
  const fields = file.sizeBytes > mostBytes ? undefined : parse(await readFile(file.path, 'utf8'))
  if (isJsonObject(fields)) return { fields, file }
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
