import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { IsoplexError } from '../error/error.ts'

/**
 * Reads the `package.json` of a project; a project without one has an empty one.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where the file cannot be read or is no JSON object.
 */
export async function readPackageFile(projectDirectory: string): Promise<Readonly<Record<string, unknown>>> {
  const path = join(projectDirectory, 'package.json')
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return '{}'
    throw new IsoplexError('CONFIG_INVALID', `${path} cannot be read (${cause.code}).`, { cause })
  })
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (cause) {
    throw new IsoplexError('CONFIG_INVALID', `${path} is not valid JSON; correct it.`, { cause })
  }
  if (isRecord(content)) return content
  throw new IsoplexError('CONFIG_INVALID', `${path} must hold a JSON object.`)
}

/** Whether a value is an object with keys: not null, not a list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
