import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  listProjectKeys,
  loadProjectKeys,
  loadSigningKey,
  removeProjectKey,
  rotateProjectKeys,
} from '../../runtime/auth/key-ring.ts'

const nowMs = 1_700_000_000_000
const now = (): number => nowMs
let project: string
let directory: string
let path: string
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'isoplex-key-'))
  directory = join(project, '.isoplex')
  path = join(directory, 'key')
})
afterEach(() => rm(project, { recursive: true }))

describe('loadProjectKeys', () => {
  it('makes a key of 32 random bytes that only its owner can read, and nothing else', async () => {
    await loadProjectKeys(directory)
    expect(await readdir(directory)).toEqual(['key'])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    const text = await readFile(path, 'utf8')
    expect(text).toMatch(/^[\w-]{43}\n$/)
    expect(Buffer.from(text, 'base64url')).toHaveLength(32)
  })

  it('loads the same key again, and makes another for another project', async () => {
    const [{ id }] = await loadProjectKeys(directory)
    expect((await loadProjectKeys(directory))[0].id).toBe(id)
    expect((await loadProjectKeys(join(project, 'other')))[0].id).not.toBe(id)
  })

  it('makes one key however many calls start at once', async () => {
    const keys = await Promise.all(Array.from({ length: 50 }, () => loadProjectKeys(directory)))
    expect(new Set(keys.map(([{ id }]) => id)).size).toBe(1)
    expect(await readdir(directory)).toEqual(['key'])
  })

  it('makes one key however many processes start at once', async () => {
    const program = `
      const { loadProjectKeys } = await import(${JSON.stringify(import.meta.resolve('../../runtime/auth/key-ring.ts'))})
      process.stdout.write((await loadProjectKeys(${JSON.stringify(directory)}))[0].id)`
    const ids = await Promise.all(
      Array.from({ length: 4 }, () =>
        new Response(Bun.spawn([process.execPath, '-e', program]).stdout).text(),
      ),
    )
    expect(new Set(ids).size).toBe(1)
    expect(ids[0]).toBe((await loadProjectKeys(directory))[0].id)
  })

  it.each([0o640, 0o604, 0o620, 0o602, 0o700, 0o610, 0o666, 0o777])(
    'refuses a key with permissions %o and says the cure',
    async (mode) => {
      await loadProjectKeys(directory)
      await chmod(path, mode)
      await expect(loadProjectKeys(directory)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(`chmod 600 ${path}`),
      })
    },
  )

  it('takes a key that nobody may write', async () => {
    const [{ id }] = await loadProjectKeys(directory)
    await chmod(path, 0o400)
    expect((await loadProjectKeys(directory))[0].id).toBe(id)
  })

  it.each([
    ['nothing', ''],
    ['a short key', 'A'.repeat(42)],
    ['a long key', 'A'.repeat(44)],
    ['a second spelling', `${'A'.repeat(42)}B`],
    ['other letters', `${'A'.repeat(42)}+`],
    ['padding', `${'A'.repeat(43)}=`],
    ['an empty line', `${'A'.repeat(43)}\n\n`],
    ['one key twice', `${'A'.repeat(43)}\n${'A'.repeat(43)}\n`],
    ['a retired key alone', `${'A'.repeat(43)} until=1\n`],
    ['words that are not known', `${'A'.repeat(43)} until=1 life=1\n`],
    ['a time that is none', `${'A'.repeat(43)} life=-1\n`],
    ['line breaks of Windows', `${'A'.repeat(43)}\r\n`],
    ['a large file', 'A'.repeat(100_000)],
  ])('refuses a file that holds %s, without repeating it', async (_, text) => {
    await mkdir(directory)
    await writeFile(path, text, { mode: 0o600 })
    const error = await loadProjectKeys(directory).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(path) })
    expect(String(error)).not.toContain('AAAA')
    expect(await readFile(path, 'utf8')).toBe(text)
  })

  it('refuses a folder in the place of the key', async () => {
    await mkdir(path, { recursive: true })
    await expect(loadProjectKeys(directory)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })

  it('says why a key cannot be made', async () => {
    await writeFile(directory, '')
    await expect(loadProjectKeys(directory)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(path),
    })
  })
})

describe('rotateProjectKeys', () => {
  const rotate = (options = {}) => rotateProjectKeys(directory, { tokenLifeSeconds: 100, now, ...options })

  it('puts a new key on top and keeps the old one as long as tokens may live', async () => {
    const [{ id }] = await loadProjectKeys(directory)
    const [first, second, ...others] = rotate()
    expect(first).toMatchObject({ signs: true, untilMs: null })
    expect(first?.id).not.toBe(id)
    expect(second).toEqual({ id, signs: false, lifeSeconds: 0, untilMs: nowMs + 160_000 })
    expect(others).toEqual([])
    const keys = await loadProjectKeys(directory, { now })
    expect(keys.map((key) => [key.id, key.untilMs])).toEqual([
      [first?.id, Infinity],
      [id, nowMs + 160_000],
    ])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('keeps a key for the longest token that was made with it', async () => {
    for (const seconds of [500, 7_000, 60]) await loadSigningKey(directory, seconds)
    expect(rotate()[1]).toMatchObject({ lifeSeconds: 7_000, untilMs: nowMs + 7_060_000 })
    expect(rotate()[1]).toMatchObject({ lifeSeconds: 0, untilMs: nowMs + 160_000 })
  })

  it('keeps a key exactly as long as is asked for, and drops what has ended', async () => {
    const [{ id }] = await loadProjectKeys(directory)
    rotate({ keepSeconds: 10 })
    const at = (ms: number) => loadProjectKeys(directory, { now: () => nowMs + ms })
    expect((await at(9_999)).map((key) => key.id)).toContain(id)
    expect((await at(10_000)).map((key) => key.id)).not.toContain(id)
    expect(await readFile(path, 'utf8')).toMatch(/ until=1700000010\n/)
    rotate({ now: () => nowMs + 10_000 })
    expect(await readFile(path, 'utf8')).not.toMatch(/ until=1700000010\n/)
    expect(rotate({ keepSeconds: 0 })).toHaveLength(2)
  })

  it('says how many keys there are where there are too many, and changes nothing', async () => {
    for (let count = 1; count < 32; count += 1) rotate()
    const before = await readFile(path, 'utf8')
    expect(() => rotate()).toThrow(/32 keys/)
    expect(await readFile(path, 'utf8')).toBe(before)
    expect(await loadProjectKeys(directory, { now })).toHaveLength(32)
  })

  it('loses no key where processes rotate at the same time, and leaves no half of a file', async () => {
    await loadProjectKeys(directory)
    const program = `
      const { rotateProjectKeys } = await import(${JSON.stringify(import.meta.resolve('../../runtime/auth/key-ring.ts'))})
      for (let count = 0; count < 5; count += 1) {
        rotateProjectKeys(${JSON.stringify(directory)}, { tokenLifeSeconds: 100 })
      }`
    const children = Array.from({ length: 4 }, () => Bun.spawn([process.execPath, '-e', program]))
    const done = Promise.all(children.map(({ exited }) => exited))
    let over = false
    void done.then(() => {
      over = true
    })
    while (!over) {
      await loadProjectKeys(directory)
      await Bun.sleep(1)
    }
    expect(await done).toEqual([0, 0, 0, 0])
    expect(await loadProjectKeys(directory)).toHaveLength(21)
    expect((await readdir(directory)).toSorted()).toEqual(['key', 'key.lock'])
  })
})

describe('removeProjectKey', () => {
  it('removes a key that does not sign, and no other', async () => {
    const [{ id }] = await loadProjectKeys(directory)
    expect(() => removeProjectKey(directory, id)).toThrow(/keys rotate/)
    const [first] = rotateProjectKeys(directory, { tokenLifeSeconds: 1 })
    expect(removeProjectKey(directory, id).map((key) => key.id)).toEqual([first?.id])
    expect((await loadProjectKeys(directory)).map((key) => key.id)).toEqual([first?.id])
    expect(() => removeProjectKey(directory, id)).toThrow(/keys list/)
  })
})

describe('listProjectKeys', () => {
  it('tells nothing secret', async () => {
    rotateProjectKeys(directory, { tokenLifeSeconds: 100, now })
    const facts = listProjectKeys(directory, nowMs)
    expect(facts.map(({ signs }) => signs)).toEqual([true, false])
    const secrets = (await readFile(path, 'utf8')).split('\n').map((line) => line.slice(0, 43))
    for (const secret of secrets.filter(Boolean)) expect(JSON.stringify(facts)).not.toContain(secret)
    expect(listProjectKeys(directory, nowMs + 160_000)).toHaveLength(1)
  })
})

describe('loadSigningKey', () => {
  it('gives the first key, and writes only where a token lives longer than those before', async () => {
    const { id } = await loadSigningKey(directory, 10)
    expect((await loadProjectKeys(directory))[0].id).toBe(id)
    const { mtimeMs, ino } = await stat(path)
    await loadSigningKey(directory, 10)
    expect(await stat(path)).toMatchObject({ mtimeMs, ino })
    await loadSigningKey(directory, 11)
    expect((await stat(path)).ino).not.toBe(ino)
  })

  it.runIf(process.platform === 'linux')('does not wait for a pipe in the place of the key', async () => {
    await mkdir(directory)
    await Bun.spawn(['mkfifo', '-m', '600', path]).exited
    await expect(loadSigningKey(directory, 1)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})
