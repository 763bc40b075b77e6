import { IsoplexError } from '../error/error.ts'
import { readKeyFile } from './key-file.ts'
import { parseKeyLines } from './key-line.ts'
import { createProjectKey, type ProjectKeys } from './project-key.ts'

const maxBytes = 8192

/**
 * Loads the keys of a file that several machines have, in the form of a project's own: the first seals, all open. A
 * project's file `key` is one.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where it is not there, others may use it, or it holds no keys.
 */
export async function loadSharedKeys(path: string): Promise<ProjectKeys> {
  const text = readKeyFile(path, { secret: true, maxBytes })
  if (text === null) {
    const message = `There is no key file ${path}; put the same one on every machine of the cluster and on this one, with the permissions 0600.`
    throw new IsoplexError('CONFIG_INVALID', message)
  }
  const nowSeconds = Date.now() / 1000
  const [first, ...others] = parseKeyLines(text, path)
  const alive = others.filter(({ untilSeconds }) => untilSeconds === null || nowSeconds < untilSeconds)
  const open = ({ secret, untilSeconds }: typeof first): ReturnType<typeof createProjectKey> =>
    createProjectKey(secret, untilSeconds === null ? Number.POSITIVE_INFINITY : untilSeconds * 1000)
  const [sealing, ...opening] = await Promise.all([open(first), ...alive.map(open)])
  return Object.freeze([sealing, ...opening])
}
