import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTokenKey, loadProjectKey } from '../../runtime/auth/key.ts'

describe('createTokenKey', () => {
  it('gives equal bytes one id and others another, none of it the key', async () => {
    const [first, same, other] = await Promise.all(
      [1, 1, 2].map((byte) => createTokenKey(new Uint8Array(32).fill(byte))),
    )
    expect(first?.id).toMatch(/^[\w-]{16}$/)
    expect(same?.id).toBe(first?.id)
    expect(other?.id).not.toBe(first?.id)
    expect(Buffer.alloc(32, 1).toString('base64url')).not.toContain(first?.id)
  })

  it('keeps the secret from being printed or exported', async () => {
    const key = await createTokenKey(new Uint8Array(32).fill(0x41))
    expect(JSON.stringify(key) + Bun.inspect(key)).not.toMatch(/AAAA|QUFB|65/)
    await expect(crypto.subtle.exportKey('raw', key.secret)).rejects.toThrow()
  })

  it('refuses a short secret', async () => {
    await expect(createTokenKey(new Uint8Array(31))).rejects.toThrow(TypeError)
  })
})

describe('loadProjectKey', () => {
  let project: string
  let directory: string
  let path: string
  beforeEach(async () => {
    project = await mkdtemp(join(tmpdir(), 'isoplex-key-'))
    directory = join(project, '.isoplex')
    path = join(directory, 'key')
  })
  afterEach(() => rm(project, { recursive: true }))

  it('makes a key of 32 random bytes that only its owner can read, and nothing else', async () => {
    await loadProjectKey(directory)
    expect(await readdir(directory)).toEqual(['key'])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    const text = await readFile(path, 'utf8')
    expect(text).toMatch(/^[\w-]{43}\n$/)
    expect(Buffer.from(text, 'base64url')).toHaveLength(32)
  })

  it('loads the same key again, and makes another for another project', async () => {
    const { id } = await loadProjectKey(directory)
    expect((await loadProjectKey(directory)).id).toBe(id)
    expect((await loadProjectKey(join(project, 'other'))).id).not.toBe(id)
  })

  it('makes one key however many calls start at once', async () => {
    const keys = await Promise.all(Array.from({ length: 50 }, () => loadProjectKey(directory)))
    expect(new Set(keys.map(({ id }) => id)).size).toBe(1)
    expect(await readdir(directory)).toEqual(['key'])
  })

  it('makes one key however many processes start at once', async () => {
    const program = `
      const { loadProjectKey } = await import(${JSON.stringify(import.meta.resolve('../../runtime/auth/key.ts'))})
      process.stdout.write((await loadProjectKey(${JSON.stringify(directory)})).id)`
    const ids = await Promise.all(
      Array.from({ length: 4 }, () =>
        new Response(Bun.spawn([process.execPath, '-e', program]).stdout).text(),
      ),
    )
    expect(new Set(ids).size).toBe(1)
    expect(ids[0]).toBe((await loadProjectKey(directory)).id)
  })

  it.each([0o640, 0o604, 0o620, 0o602, 0o700, 0o610, 0o666, 0o777])(
    'refuses a key with permissions %o and says the cure',
    async (mode) => {
      await loadProjectKey(directory)
      await chmod(path, mode)
      await expect(loadProjectKey(directory)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(`chmod 600 ${path}`),
      })
    },
  )

  it('takes a key that nobody may write', async () => {
    const { id } = await loadProjectKey(directory)
    await chmod(path, 0o400)
    expect((await loadProjectKey(directory)).id).toBe(id)
  })

  it.each([
    ['nothing', ''],
    ['a short key', 'A'.repeat(42)],
    ['a long key', 'A'.repeat(44)],
    ['a second spelling', `${'A'.repeat(42)}B`],
    ['other letters', `${'A'.repeat(42)}+`],
    ['padding', `${'A'.repeat(43)}=`],
    ['two lines', `${'A'.repeat(43)}\n\n`],
    ['a large file', 'A'.repeat(100_000)],
  ])('refuses a file that holds %s, without repeating it', async (_, text) => {
    await mkdir(directory)
    await writeFile(path, text, { mode: 0o600 })
    const error = await loadProjectKey(directory).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(path) })
    expect(String(error)).not.toContain('AAAA')
    expect(await readFile(path, 'utf8')).toBe(text)
  })

  it('refuses a folder in the place of the key', async () => {
    await mkdir(path, { recursive: true })
    await expect(loadProjectKey(directory)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('says why a key cannot be made', async () => {
    await writeFile(directory, '')
    await expect(loadProjectKey(directory)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(path),
    })
  })
})
