import { readFile } from 'node:fs/promises'
import { hasCode } from './storage-error.ts'

/** Reads a small file of ours. What is not there, or was left empty or torn by a power failure, is `null`. */
export async function readJsonFile(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, 'ENOENT')) return null
    throw error
  }
}

/** Whether a value of JSON is an object and no list. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
