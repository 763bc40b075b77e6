import { type FileValue, isFileValue } from '../define/file-value.ts'
import { plainFormOf } from '../runner/plain-form.ts'
import { formatBytes } from './output.ts'

/** How results are written. */
export interface ResultForm {
  /** Whether a program reads them: one line for each value. */
  readonly json: boolean
}

/**
 * Writes a result to standard output, which holds nothing else: a value as JSON, a file as its bytes, nothing of
 * `undefined`.
 */
export async function writeResult(value: unknown, { json }: ResultForm): Promise<void> {
  if (value === undefined) return
  if (isFileValue(value) && !json) return await writeFile(value)
  await write(`${toJson(value, json || !process.stdout.isTTY ? 0 : 2)}\n`)
}

/** The bytes of a picture or an archive might command a terminal. */
async function writeFile({ bytes, mediaType }: FileValue): Promise<void> {
  if (!process.stdout.isTTY || mediaType.startsWith('text/')) return await write(bytes)
  const what = `${formatBytes(bytes.length)} of ${mediaType} are nothing for a terminal`
  process.stderr.write(`${what}; send standard output into a file, as with > FILE.\n`)
}

/** Writes many results, a line for each, no faster than they are read. */
export async function writeResults(values: AsyncIterable<unknown>): Promise<void> {
  for await (const value of values) {
    // Who has stopped reading wants no more.
    if (!process.stdout.writable) return
    await write(`${toJson(value, 0)}\n`)
  }
}

function toJson(value: unknown, indent: number): string {
  return JSON.stringify(value, (_, member: unknown) => plainFormOf(member), indent)
}

function write(piece: string | Uint8Array): Promise<void> {
  // An error of the stream is heard elsewhere, and shows in the exit code.
  return new Promise((resolve) => void process.stdout.write(piece, () => resolve()))
}
