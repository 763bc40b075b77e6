import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { IsoplexError } from '../../runtime/error/error.ts'
import { openArtifactFolder } from '../../runtime/page/artifact-folder.ts'
import { buildArchive } from '../support/archive-builder.ts'
import { addConstantModel } from '../support/onnx-models.ts'

const digest = 'a'.repeat(64)
const open = (bytes: Uint8Array<ArrayBuffer>) => openArtifactFolder(digest, new Blob([bytes]))

describe('an artifact as a folder', () => {
  it('has a lone model as model.onnx', async () => {
    const model = new Uint8Array(addConstantModel(1))
    const folder = await open(model)
    expect(folder).toMatchObject({ digest, bytes: model.length, names: ['model.onnx'] })
    expect(await folder.read('model.onnx')).toEqual(model)
  })

  it.each([
    ['stored', 0],
    ['deflated', 8],
  ])('has the files of a %s archive', async (_, method) => {
    const content = Uint8Array.from({ length: 700_000 }, (_, index) => (index * index) & 0xff)
    const folder = await open(
      buildArchive([
        { name: 'model.onnx', content, method },
        { name: 'parts/' },
        { name: 'parts/labels.json', content: '["a"]', method },
        { name: 'empty' },
      ]),
    )
    expect(folder.names).toEqual(['model.onnx', 'parts/labels.json', 'empty'])
    expect(folder.bytes).toBe(content.length + 5)
    const read = await folder.read('model.onnx')
    expect(Buffer.compare(read, content)).toBe(0)
    read.fill(0)
    expect(Buffer.compare(await folder.read('model.onnx'), content)).toBe(0)
    expect(new TextDecoder().decode(await folder.read('parts/labels.json'))).toBe('["a"]')
    expect(await folder.read('empty')).toEqual(new Uint8Array())
  })

  it.each(['', 'nowhere', 'parts', '../model.onnx', '__proto__'])('has no file %j', async (name) => {
    for (const bytes of [Uint8Array.of(8, 1), buildArchive([{ name: 'parts/a', content: 'a' }])]) {
      await expect((await open(bytes)).read(name)).rejects.toMatchObject({
        code: 'ARTIFACT_BROKEN',
        details: { reason: 'missing-file' },
      })
    }
  })

  it.each([
    ['climbs', buildArchive([{ name: '../a', content: 'a' }]), 'name-climbs'],
    ['is absolute', buildArchive([{ name: '/a', content: 'a' }]), 'name-absolute'],
    ['was cut short', buildArchive([{ name: 'a', content: 'a' }]).slice(0, 40), 'not-an-archive'],
    ['holds a link', buildArchive([{ name: 'a', content: 'b', externalAttributes: 0xa1ff0000 }]), 'link'],
    ['is encrypted', buildArchive([{ name: 'a', content: 'a', flags: 1 }]), 'encrypted'],
    [
      'has two files of one name',
      buildArchive([
        { name: 'a', content: 'a' },
        { name: 'A', content: 'b' },
      ]),
      'name-duplicate',
    ],
    [
      'grows too much',
      buildArchive([{ name: 'a', content: new Uint8Array(2 ** 25), method: 8 }]),
      'ratio-too-high',
    ],
    [
      'claims more than a page takes',
      buildArchive([{ name: 'a', content: 'a', sizeBytes: 2 ** 31 + 1, compressedBytes: 2 ** 31 + 1 }]),
      'entry-too-large',
    ],
  ])('is refused where the archive %s', async (_, archive, reason) => {
    await expect(open(archive)).rejects.toMatchObject({ code: 'ARTIFACT_BROKEN', details: { reason } })
  })

  it.each([
    ['other bytes', { crc32: 7 }, 'checksum-mismatch'],
    ['no deflate stream', { method: 8, packed: new Uint8Array([0xff, 0xff]) }, 'data-malformed'],
    ['more bytes', { method: 8, sizeBytes: 2 }, 'size-mismatch'],
    ['fewer bytes', { method: 8, sizeBytes: 9 }, 'size-mismatch'],
  ])('is not read where an entry holds %s than it says', async (_, lie, reason) => {
    const folder = await open(buildArchive([{ name: 'model.onnx', content: 'graph', ...lie }]))
    await expect(folder.read('model.onnx')).rejects.toMatchObject({
      code: 'ARTIFACT_BROKEN',
      details: { reason },
    })
  })

  it('gives of any bytes either files or a refusal', async () => {
    const good = buildArchive([
      { name: 'model.onnx', content: 'graph '.repeat(50), method: 8 },
      { name: 'b', content: 'more' },
    ])
    const change = fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255) })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const bytes = good.slice()
        for (const { at, byte } of changes) bytes[at] = byte
        try {
          const folder = await open(bytes)
          for (const name of folder.names) await folder.read(name)
        } catch (error) {
          expect(error).toBeInstanceOf(IsoplexError)
          expect(error).toMatchObject({ code: 'ARTIFACT_BROKEN' })
        }
      }),
      { numRuns: 500 },
    )
  })
})
