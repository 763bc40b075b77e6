import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseGivenFile, readParams } from '../../runtime/cli/run-params.ts'

let directory: string
const at = (name: string): string => join(directory, name)
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'isoplex-test-'))
  await writeFile(at('params.json'), '{"a":1}')
  await writeFile(at('sound.wav'), 'RIFF')
  await writeFile(at('note.txt'), 'hello')
  await writeFile(at('plain'), 'bytes')
})
afterAll(() => rm(directory, { recursive: true, force: true }))

describe('a file', () => {
  it.each([
    ['sound=@a.wav', { field: 'sound', path: 'a.wav', mediaType: null }],
    ['@a.wav', { field: null, path: 'a.wav', mediaType: null }],
    ['x=@a;b.wav', { field: 'x', path: 'a;b.wav', mediaType: null }],
    ['x=@a=b@c', { field: 'x', path: 'a=b@c', mediaType: null }],
    ['x=@a;type=audio/wav', { field: 'x', path: 'a', mediaType: 'audio/wav' }],
  ])('is given as %s', (text, file) => {
    expect(parseGivenFile(text)).toEqual(file)
  })

  it.each(['', '@', 'a=b', 'a', '=@a', 'x=@a;type=none', 'x=@a;type=audio/*'])(
    'is not given as %j',
    (text) => {
      expect(parseGivenFile(text)).toBeNull()
    },
  )
})

describe('parameters', () => {
  it.each([
    [undefined, undefined],
    ['{"a":1}', { a: 1 }],
    ['[1]', [1]],
    ['null', null],
  ])('are %j', async (text, value) => {
    expect(await readParams(text, [])).toEqual(value)
  })

  it('come from a file', async () => {
    expect(await readParams(`@${at('params.json')}`, [])).toEqual({ a: 1 })
  })

  it('take files into their fields, with their names and media types', async () => {
    const sound = { field: 'sound', path: at('sound.wav'), mediaType: null }
    const note = { field: 'note', path: at('note.txt'), mediaType: null }
    const plain = { field: 'plain', path: at('plain'), mediaType: null }
    const typed = { field: 'typed', path: at('plain'), mediaType: 'image/png' }
    expect(await readParams('{"a":1}', [sound, note, plain, typed])).toMatchObject({
      a: 1,
      sound: { mediaType: 'audio/wav', name: 'sound.wav' },
      note: { mediaType: 'text/plain', bytes: new TextEncoder().encode('hello') },
      plain: { mediaType: 'application/octet-stream' },
      typed: { mediaType: 'image/png' },
    })
  })

  it('are a file alone', async () => {
    const sound = { field: null, path: at('sound.wav'), mediaType: null }
    expect(await readParams(undefined, [sound])).toMatchObject({ mediaType: 'audio/wav' })
  })

  it.each([
    ['{', [], 'are no JSON'],
    ['@nowhere.json', [], 'cannot be read'],
    ['[1]', [{ field: 'a', path: 'x', mediaType: null }], 'must be an object'],
    ['{}', [{ field: null, path: 'x', mediaType: null }], 'goes alone'],
    [undefined, [{ field: 'a', path: 'nowhere', mediaType: null }], 'nowhere cannot be read'],
  ] as const)('are refused: %j with %j', async (text, files, message) => {
    await expect(readParams(text, files)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(message),
    })
  })
})
