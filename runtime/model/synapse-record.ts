import { createHash } from 'node:crypto'
import { IsoplexError } from '../error/error.ts'
import type { ModelRecord } from './backend.ts'
import { parseChecksum } from './checksum.ts'
import { isJsonObject } from './json-file.ts'

/** A model as a backend describes it. */
export interface SynapseModel {
  readonly record: ModelRecord
  /** The tenant that it belongs to, as the backend says; `null` where it says nothing of that. */
  readonly tenant: string | null
}

/** Deeper than any description is, and no danger to whoever walks through it. */
const mostLevels = 32

/**
 * Reads the answer to a question about a model.
 *
 * @param text the answer as it came: whatever changes in it may mean other bytes
 * @param facts the id that was asked for, and where relative links begin
 * @throws {IsoplexError} `BACKEND_BROKEN` where it is no description of that model, or of one without a file.
 */
export function readSynapseModel(
  text: string,
  { modelId, url }: { readonly modelId: string; readonly url: string },
): SynapseModel {
  const model = parseModel(text)
  const id = idOf(model, modelId)
  const file = fileOf(model, id, url)
  const { checksum, size, tenant, version } = model
  const { file: _file, id: _id, version: _version, path: _path, ...fields } = model
  const artifact = Object.freeze({
    digest: null,
    url: file,
    checksum: parseChecksum(checksum),
    sizeBytes: typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : null,
    stamp: createHash('sha256').update(text).digest('hex'),
  })
  const record = { id, version: toText(version), artifact, fields: Object.freeze(fields) }
  return Object.freeze({ record: Object.freeze(record), tenant: toText(tenant) })
}

/**
 * Reads from the same answer whose model it is; `null` where it says nothing of that.
 *
 * @throws {IsoplexError} `BACKEND_BROKEN` where it is no description of a model.
 */
export function readSynapseTenant(text: string): string | null {
  return toText(parseModel(text).tenant)
}

/** Makes the error of an answer that no backend gives which works. */
export function backendBroken(message: string, cause?: unknown): IsoplexError<'BACKEND_BROKEN'> {
  return new IsoplexError('BACKEND_BROKEN', message, { cause })
}

function parseModel(text: string): Readonly<Record<string, unknown>> {
  const value = parseJson(text)
  if (!isJsonObject(value)) throw backendBroken('The model backend answers with JSON that is no object.')
  if (isDeeper(value, mostLevels))
    throw backendBroken('The model backend answers with JSON that is too deep.')
  return value
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The text of the error quotes the answer, which may hold a signed link.
    throw backendBroken('The model backend answers with something that is no JSON; is its URL right?')
  }
}

/** Goes one level at a time, for a walk that calls itself could be made to run out of stack. */
function isDeeper(value: unknown, levels: number): boolean {
  let level: readonly unknown[] = [value]
  for (let depth = 0; depth < levels; depth += 1) {
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []))
    if (level.length === 0) return false
  }
  return true
}

/** The id that the backend knows the model by: the one that was asked for, where need be without its selector. */
function idOf({ id }: Readonly<Record<string, unknown>>, modelId: string): string {
  const own = toText(id)
  if (own === null || own === modelId || own === modelId.split('@', 1)[0]) return own ?? modelId
  throw backendBroken('The model backend answers with another model than it was asked for.')
}

function fileOf({ file }: Readonly<Record<string, unknown>>, id: string, base: string): string {
  if (typeof file !== 'string' || file === '') {
    throw backendBroken(`Model ${JSON.stringify(id)} has no file; add one at the backend.`)
  }
  const url = URL.parse(file, base)
  if (url === null) throw backendBroken(`The file of model ${JSON.stringify(id)} is no URL.`)
  // The URL class would change the keys of S3.
  return /^s3:/i.test(file) ? file : url.href
}

function toText(value: unknown): string | null {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value)
  return typeof value === 'string' && value !== '' && value.isWellFormed() ? value : null
}
