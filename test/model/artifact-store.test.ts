import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { type ArtifactStore, openArtifactStore } from '../../runtime/model/artifact-store.ts'
import type { Progress } from '../../runtime/model/progress.ts'
import { buildArchive, unixMode } from '../support/archive-builder.ts'
import { createScratch, type Scratch } from './scratch.ts'

const openStore = (scratch: Scratch): Promise<ArtifactStore> =>
  openArtifactStore({ directory: scratch.path('store') })
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** The artifacts of a store, their unpacked folders, and what is made aside. */
async function contents(scratch: Scratch): Promise<readonly string[]> {
  return (await scratch.list('store')).filter((name) => /^(?:artifacts|unpacked|staging)\/./.test(name))
}

describe('putting', () => {
  it('takes a lone model as it is, by the digest of its bytes', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const bytes = Buffer.from('\b\x08 not really a model')
    const { digest, sizeBytes } = await store.put(await scratch.write('any.name', bytes))
    expect({ digest, sizeBytes }).toEqual({ digest: sha256(bytes), sizeBytes: bytes.length })
    expect(await contents(scratch)).toEqual([`artifacts/${digest}`])
    expect(await readFile(scratch.path('store/artifacts', digest))).toEqual(bytes)
  })

  it('packs a folder without what is no part of the model, the same way each time', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    await scratch.write('model/model.onnx', 'graph')
    await scratch.write('model/weights/a.bin', 'weights')
    const first = await store.put(scratch.path('model'))
    for (const name of ['train.ts', 'README.md', '.git/config', 'weights/.DS_Store'])
      await scratch.write(`model/${name}`, 'x')
    expect(await store.put(scratch.path('model'))).toEqual(first)
    const folder = await store.unpack(first.digest)
    expect(await scratch.list(folder.slice(scratch.directory.length + 1))).toEqual([
      'model.onnx',
      'weights/',
      'weights/a.bin',
    ])
  })

  it('follows a link that it is pointed to, and refuses one in a folder', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    await scratch.write('model/model.onnx', 'graph')
    await symlink(scratch.path('model'), scratch.path('link'))
    expect(await store.put(scratch.path('link'))).toEqual(await store.put(scratch.path('model')))
    await symlink('/etc/passwd', scratch.path('model/weights.bin'))
    await expect(store.put(scratch.path('model'))).rejects.toMatchObject({ details: { reason: 'link' } })
  })

  it.each([
    ['does not exist', async () => undefined],
    ['is empty', (scratch: Scratch) => scratch.write('source', '')],
    ['holds no file of a model', (scratch: Scratch) => scratch.write('source/readme.md', 'x')],
  ])('refuses a source that %s', async (words, prepare) => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    await prepare(scratch)
    await expect(store.put(scratch.path('source'))).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: `${JSON.stringify(scratch.path('source'))} ${words}; name an .onnx file, a zip archive, or a folder that holds the model.`,
    })
  })

  it('refuses an archive that would not be unpacked, and keeps nothing of it', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const source = await scratch.write('evil.onnx', buildArchive([{ name: '../evil' }]))
    await expect(store.put(source)).rejects.toMatchObject({ details: { reason: 'name-climbs' } })
    expect(await contents(scratch)).toEqual([])
  })

  it('tells how far it has come', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const heard: Progress[] = []
    const source = await scratch.write('model.onnx', new Uint8Array(2_500_000))
    await store.put(source, { onProgress: (progress) => heard.push(progress) })
    expect(heard.map(({ doneBytes }) => doneBytes)).toEqual([1_048_576, 2_097_152, 2_500_000])
    expect(heard.every(({ totalBytes }) => totalBytes === 2_500_000)).toBe(true)
  })
})

describe('unpacking', () => {
  it('gives a lone model the name model.onnx', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const { digest } = await store.put(await scratch.write('digits-v3.onnx', 'graph'))
    const folder = await store.unpack(digest)
    expect(folder).toBe(scratch.path('store/unpacked', digest))
    expect(await readFile(`${folder}/model.onnx`, 'utf8')).toBe('graph')
  })

  it('gives the files of an archive, whatever it is called', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const archive = buildArchive([
      { name: 'weights/', externalAttributes: unixMode(0o040755) },
      { name: 'model.onnx', content: 'graph', method: 8 },
      { name: 'weights/deep/a.bin', content: 'weights', externalAttributes: unixMode(0o104755) },
    ])
    const { digest } = await store.put(await scratch.write('model.onnx', archive))
    const folder = await store.unpack(digest)
    expect(await readFile(`${folder}/model.onnx`, 'utf8')).toBe('graph')
    expect(await readFile(`${folder}/weights/deep/a.bin`, 'utf8')).toBe('weights')
    expect((await stat(`${folder}/weights/deep/a.bin`)).mode & 0o7111).toBe(0)
  })

  it('does it once however many ask, and not at all the second time', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const { digest } = await store.put(await scratch.write('model.onnx', 'graph'))
    const heard: Progress[] = []
    const ask = (): Promise<string> =>
      store.unpack(digest, { onProgress: (progress) => heard.push(progress) })
    const folders = await Promise.all([ask(), ask(), ask()])
    expect(new Set([...folders, await ask()]).size).toBe(1)
    expect(heard).toEqual([{ doneBytes: 5, totalBytes: 5 }])
  })

  it('refuses an archive that lies about its content, and leaves nothing half-written', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const archive = buildArchive([
      { name: 'a/model.onnx', content: 'graph' },
      { name: 'b/weights.bin', content: 'weights', crc32: 1 },
    ])
    const { digest } = await store.put(await scratch.write('model.zip', archive))
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(store.unpack(digest)).rejects.toMatchObject({ details: { reason: 'checksum-mismatch' } })
      expect(await contents(scratch)).toEqual([`artifacts/${digest}`])
    }
    const { digest: good } = await store.put(await scratch.write('good.onnx', 'graph'))
    expect(await readFile(`${await store.unpack(good)}/model.onnx`, 'utf8')).toBe('graph')
  })

  it('refuses an archive that was damaged or replaced in the store, and writes nothing outside', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const { digest } = await store.put(await scratch.write('model.onnx', 'graph'))
    const artifact = scratch.path('store/artifacts', digest)
    const good = buildArchive([{ name: 'model.onnx', content: 'graph' }])
    for (const [archive, reason] of [
      [buildArchive([{ name: '../../evil', content: 'x' }]), 'name-climbs'],
      [buildArchive([{ name: 'evil', content: '/etc', externalAttributes: unixMode(0o120777) }]), 'link'],
      [good.subarray(0, -9), 'not-an-archive'],
    ] as const) {
      await writeFile(artifact, archive)
      await expect(store.unpack(digest)).rejects.toMatchObject({
        code: 'ARTIFACT_BROKEN',
        details: { reason },
      })
    }
    expect(await contents(scratch)).toEqual([`artifacts/${digest}`])
    expect((await readdir(scratch.directory)).toSorted()).toEqual(['model.onnx', 'store'])
  })

  it('says so where the artifact is not there, or what it is given is no digest', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    await expect(store.unpack('0'.repeat(64))).rejects.toMatchObject({ details: { reason: 'missing' } })
    await expect(store.unpack('../../etc')).rejects.toThrow(TypeError)
  })
})

describe('removing', () => {
  it('takes the artifact and its folder, and again is no error', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const { digest } = await store.put(await scratch.write('model.onnx', 'graph'))
    const unpacking = store.unpack(digest)
    await store.remove(digest)
    await unpacking
    await store.remove(digest)
    expect(await contents(scratch)).toEqual([])
  })

  it('of an artifact alone is made good when the store is opened again', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const kept = await store.put(await scratch.write('kept.onnx', 'kept'))
    const gone = await store.put(await scratch.write('gone.onnx', 'gone'))
    for (const { digest } of [kept, gone]) await store.unpack(digest)
    await rm(scratch.path('store/artifacts', gone.digest))
    await openStore(scratch)
    expect(await contents(scratch)).toEqual([
      `artifacts/${kept.digest}`,
      `unpacked/${kept.digest}/`,
      `unpacked/${kept.digest}/model.onnx`,
    ])
  })
})

describe('several processes', () => {
  const fixture = new URL('fixtures/unpack.ts', import.meta.url).pathname
  const spawn = (...parameters: readonly string[]) =>
    Bun.spawn([process.execPath, fixture, ...parameters], {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    })

  it('unpack one artifact at once into one folder', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    for (let round = 0; round < 5; round += 1) {
      const files = ['a', 'b/c', 'b/d'].map((name) => ({
        name,
        method: 8,
        content: `${name}${round}`.repeat(500_000),
      }))
      const { digest } = await store.put(await scratch.write('model.zip', buildArchive(files)))
      const children = [1, 2, 3].map(() => spawn(scratch.path('store'), digest))
      const outputs = children.map((child) => child.stdout.pipeThrough(new TextDecoderStream()).getReader())
      for (const output of outputs) expect(await output.read()).toMatchObject({ value: 'ready\n' })
      for (const child of children) child.stdin.write('go\n') && child.stdin.flush()
      for (const output of outputs)
        expect(await output.read()).toMatchObject({ value: scratch.path('store/unpacked', digest) })
      for (const child of children) expect(await child.exited).toBe(0)
      for (const { name, content } of files) {
        expect((await readFile(scratch.path('store/unpacked', digest, name), 'utf8')) === content).toBe(true)
      }
      await store.remove(digest)
      expect(await contents(scratch)).toEqual([])
    }
  })

  it('leave nothing where one is killed in the middle', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const archive = buildArchive(['a', 'b'].map((name) => ({ name, content: new Uint8Array(4_000_000) })))
    const { digest } = await store.put(await scratch.write('model.zip', archive))
    const child = spawn(scratch.path('store'), digest, 'die')
    child.stdin.write('go\n')
    await child.stdin.end()
    await child.exited
    expect(child.signalCode).toBe('SIGKILL')
    const left = await contents(scratch)
    expect(left.filter((name) => name.startsWith('unpacked/'))).toEqual([])
    expect(left.filter((name) => name.startsWith('staging/'))).not.toEqual([])

    const reopened = await openStore(scratch)
    expect(await contents(scratch)).toEqual([`artifacts/${digest}`])
    expect((await readFile(`${await reopened.unpack(digest)}/b`)).length).toBe(4_000_000)
  })
})

describe('a full disk', () => {
  it('is said to be full, and nothing half-written is left on it', async (context) => {
    await using scratch = await createScratch()
    await mkdir(scratch.path('store'))
    const mounted = Bun.spawnSync([
      'mount',
      '-t',
      'tmpfs',
      '-o',
      'size=3m',
      'isoplex-test',
      scratch.path('store'),
    ])
    if (!mounted.success)
      return context.skip(`no small disk could be mounted: ${mounted.stderr.toString().trim()}`)
    try {
      const store = await openStore(scratch)
      const zeros = new Uint8Array(2_500_000)
      const archive = buildArchive([
        { name: 'a', method: 8, content: zeros },
        { name: 'b', method: 8, content: zeros },
      ])
      const { digest } = await store.put(await scratch.write('model.zip', archive))
      await expect(store.unpack(digest)).rejects.toMatchObject({ code: 'STORAGE_FULL' })
      expect(await contents(scratch)).toEqual([`artifacts/${digest}`])

      const large = await scratch.write('large.onnx', new Uint8Array(4_000_000))
      await expect(store.put(large)).rejects.toMatchObject({ code: 'STORAGE_FULL' })
      expect(await contents(scratch)).toEqual([`artifacts/${digest}`])

      const small = await store.put(await scratch.write('small.onnx', 'graph'))
      expect(await readFile(`${await store.unpack(small.digest)}/model.onnx`, 'utf8')).toBe('graph')
    } finally {
      Bun.spawnSync(['umount', scratch.path('store')])
    }
  })
})
