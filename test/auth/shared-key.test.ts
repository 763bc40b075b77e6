import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadProjectKeys } from '../../runtime/auth/key-ring.ts'
import { loadSharedKeys } from '../../runtime/auth/shared-key.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-shared-key-'))
})
afterEach(() => rm(directory, { recursive: true }))

const write = async (text: string, mode = 0o600): Promise<string> => {
  const path = join(directory, 'cluster-key')
  await writeFile(path, text)
  await chmod(path, mode)
  return path
}
const secret = (byte: number): string => Buffer.alloc(32, byte).toString('base64url')

it('takes the key of a project', async () => {
  const [own] = await loadProjectKeys(directory)
  expect((await loadSharedKeys(join(directory, 'key')))[0].id).toBe(own.id)
})

it('takes several keys, without those that have ended', async () => {
  const path = await write(`${secret(1)}\n${secret(2)} until=4000000000\n${secret(3)} until=1000\n`)
  const keys = await loadSharedKeys(path)
  expect(keys.map(({ untilMs }) => untilMs)).toEqual([Number.POSITIVE_INFINITY, 4e12])
})

it.each([
  ['others may read', () => write(`${secret(1)}\n`, 0o644), /0600/],
  ['is not there', async () => join(directory, 'gone'), /no key file/],
  ['holds no key', () => write('a secret\n'), /./],
])('refuses a file that %s', async (_, make, message) => {
  const path = await make()
  const loading = loadSharedKeys(path)
  await expect(loading).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  await expect(loading).rejects.toThrow(message)
  await expect(loading).rejects.not.toThrow(/a secret/)
})
