import { readdir, rm, writeFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { openArtifactStore } from '../../runtime/model/artifact-store.ts'
import { buildArchive } from '../support/archive-builder.ts'
import { startArtifactServer } from '../support/artifact-server.ts'
import { createScratch } from './scratch.ts'

it('finds nothing where nothing is broken, and leaves everything', async () => {
  await using scratch = await createScratch()
  const store = await openArtifactStore({ directory: scratch.path('store') })
  const archive = buildArchive([
    { name: 'a/b.bin', content: 'b' },
    { name: 'model.onnx', content: 'graph' },
  ])
  for (const content of ['graph', archive]) {
    const { digest } = await store.put(await scratch.write('source', content))
    await store.unpack(digest)
  }
  await store.put(await scratch.write('source', 'never unpacked'))
  expect(await store.verify({ remove: true })).toEqual([])
  expect(await readdir(scratch.path('store/artifacts'))).toHaveLength(3)
  expect(await readdir(scratch.path('store/unpacked'))).toHaveLength(2)
})

it('finds artifacts that are not what their digest says, which come anew once they are removed', async () => {
  await using scratch = await createScratch()
  await using server = startArtifactServer(Buffer.from('graph'))
  const store = await openArtifactStore({
    directory: scratch.path('store'),
    policy: { origins: [server.url], hosts: [] },
  })
  const artifact = { digest: null, url: server.url, checksum: null, sizeBytes: null, stamp: '' }
  const digest = await store.obtain(artifact, 'test/model')
  await writeFile(scratch.path('store/artifacts', digest), 'grape')
  const broken = [{ digest, part: 'artifact', file: null }]
  expect(await store.verify()).toEqual(broken)
  expect(await store.verify({ remove: true })).toEqual(broken)
  expect(await store.verify()).toEqual([])
  expect(await store.obtain(artifact, 'test/model')).toBe(digest)
  expect(server.answers).toEqual(['200', '200'])
})

it.each([
  ['is missing', 'model.onnx', (path: string) => rm(path)],
  ['has another size', 'model.onnx', (path: string) => writeFile(path, 'graphs')],
  ['is too many', 'evil.so', (path: string) => writeFile(path, '')],
])('finds folders in which a file %s, and they are unpacked anew', async (_, name, harm) => {
  await using scratch = await createScratch()
  const store = await openArtifactStore({ directory: scratch.path('store') })
  for (const content of ['graph', buildArchive([{ name: 'model.onnx', content: 'graph' }])]) {
    const { digest } = await store.put(await scratch.write('source', content))
    await harm(`${await store.unpack(digest)}/${name}`)
    expect(await store.verify({ remove: true })).toEqual([{ digest, part: 'unpacked', file: name }])
    expect(await readdir(await store.unpack(digest))).toEqual(['model.onnx'])
    expect(await store.verify()).toEqual([])
  }
})
