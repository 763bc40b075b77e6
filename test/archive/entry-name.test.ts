import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesSource } from '../../runtime/archive/byte-source.ts'
import { readDirectory } from '../../runtime/archive/directory.ts'
import { assertDistinctNames, assertSafeName, decodeName } from '../../runtime/archive/entry-name.ts'
import { type ArchiveReason, archiveReasons } from '../../runtime/archive/refusal.ts'
import { buildArchive } from '../support/archive-builder.ts'

type Refusal = readonly [reason: ArchiveReason, of: string, ...names: (string | Uint8Array)[]]

const refusals: readonly Refusal[] = [
  ['name-empty', 'no name', ''],
  ['name-empty', 'an empty part', 'a//b'],
  ['name-empty', 'a part that names nothing', 'a/./b'],
  ['name-absolute', 'an absolute path', '/etc/passwd'],
  ['name-absolute', 'a drive', 'c:/windows'],
  ['name-absolute', 'a path relative to a drive', 'C:windows'],
  ['name-absolute', 'another machine', '\\\\host\\share\\a'],
  ['name-absolute', 'another machine, with slashes', '//host/share/a'],
  ['name-absolute', 'the root', '/'],
  ['name-climbs', 'a climb at once', '../evil'],
  ['name-climbs', 'a climb later', 'a/../../evil'],
  ['name-climbs', 'a climb at the end', 'a/..'],
  ['name-climbs', 'a climb of a folder', 'a/../'],
  ['name-backslash', 'a climb with backslashes', '..\\evil'],
  ['name-backslash', 'a backslash', 'a\\b'],
  ['name-control', 'a NUL', 'model.onnx\0.txt'],
  ['name-control', 'a line break', 'a\nb'],
  ['name-control', 'a C1 control', 'a\u0085b'],
  ['name-control', 'a turn of the direction of text', 'a\u202exnno.b'],
  ['name-control', 'a byte order mark', '\ufeffmodel.onnx'],
  ['name-encoding', 'bytes that are not UTF-8', new Uint8Array([0x61, 0xff, 0x62])],
  ['name-encoding', 'a slash hidden in overlong UTF-8', new Uint8Array([0x61, 0xc0, 0xaf, 0x62])],
  ['name-encoding', 'half of a surrogate pair', new Uint8Array([0xed, 0xa0, 0x80])],
  ['name-too-long', 'more than 1,024 bytes', `${'d'.repeat(200)}/`.repeat(6)],
  ['name-too-long', 'a part of more than 255 bytes', 'é'.repeat(128)],
  ['name-too-long', 'more than 32 levels', `${'d/'.repeat(32)}file`],
  ['name-unportable', 'a dot at the end', 'model.'],
  ['name-unportable', 'a climb once spaces are dropped', '.. /evil'],
  ['name-duplicate', 'the same name', 'a', 'b', 'a'],
  ['name-duplicate', 'the same folder', 'a/', 'a/'],
  ['name-duplicate', 'another case', 'Model.onnx', 'model.ONNX'],
  ['name-duplicate', 'another case of several letters', 'straße', 'STRASSE'],
  ['name-duplicate', 'another composition', 'é', 'e\u0301'],
  ['name-duplicate', 'another width', 'a1', 'a１'],
  ['name-duplicate', 'a file where a folder is needed', 'a', 'a/b'],
  ['name-duplicate', 'a folder where a file is needed', 'a/b/c', 'A/B'],
  ['name-duplicate', 'a file and an empty folder', 'a/', 'a'],
]

describe('an archive is refused as', () => {
  it.each(refusals)('%s: %s', async (reason, _of, ...names) => {
    const archive = buildArchive(names.map((name) => ({ name })))
    await expect(readDirectory(bytesSource(archive))).rejects.toMatchObject({
      code: 'ARTIFACT_BROKEN',
      details: { reason },
      message: expect.stringMatching(/^The archive's entr[^\p{C}]*\.$/u),
    })
  })

  it('every reason that concerns names', () => {
    const reasons = archiveReasons.filter((reason) => reason.startsWith('name-'))
    expect([...new Set(refusals.map(([reason]) => reason))].toSorted()).toEqual(reasons.toSorted())
  })
})

describe('a safe name', () => {
  it.each([
    'model.onnx',
    'weights/onnx::MatMul_123',
    'folder/',
    '.hidden',
    '..a/b..c',
    '모델/가중치.bin',
    `${'d/'.repeat(31)}file`,
    'n'.repeat(255),
  ])('may be %j', (name) => {
    expect(() => assertSafeName(name)).not.toThrow()
  })

  it('resolves below any folder, whatever it is made of', () => {
    const part = fc.constantFrom('a', '..', '.', '', '\\', 'C:', ' ', '\0', 'é', '/')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const name = parts.join('/')
        try {
          assertSafeName(name)
        } catch {
          return
        }
        expect(new URL(name, 'file:///root/store/').href).toMatch(/^file:\/\/\/root\/store\/./)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('names', () => {
  it('may share folders, and differ in a letter', () => {
    expect(() => assertDistinctNames(['a/', 'a/b', 'a/c', 'ab', 'a.b'])).not.toThrow()
  })

  it('of 4,096 deep entries are compared quickly', () => {
    const deep = Array.from({ length: 4_096 }, (_, index) => `${`${'d'.repeat(30)}/`.repeat(31)}${index}`)
    const startMs = performance.now()
    assertDistinctNames(deep)
    expect(performance.now() - startMs).toBeLessThan(5_000)
  })

  it('are read as UTF-8 with every character kept', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        expect(decodeName(new TextEncoder().encode(name))).toBe(name)
      }),
    )
  })
})
