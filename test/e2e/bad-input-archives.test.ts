import { readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openArtifactStore } from '../../runtime/model/artifact-store.ts'
import { openRegistry } from '../../runtime/model/registry.ts'
import { type BuiltEntry, buildArchive, unixMode } from '../support/archive-builder.ts'
import { type BesiegedServer, besiege } from '../support/besieged-server.ts'
import { adding } from '../support/function-files.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, type Reply, until } from '../support/server.ts'

/** Whatever an archive writes has this in its name. */
const marker = `planted-${crypto.randomUUID()}`
const model: BuiltEntry = { name: 'model.onnx', content: addConstantModel(5) }
const good = buildArchive([model])

function withModel(...entries: readonly BuiltEntry[]): Uint8Array<ArrayBuffer> {
  // What is fine comes first, so that something would be left behind.
  return buildArchive([{ name: `${marker}.txt`, content: 'fine' }, model, ...entries])
}

const zeros = (name: string, sizeBytes: number): BuiltEntry => ({
  name,
  method: 8,
  content: new Uint8Array(sizeBytes),
})
const large = { sizeBytes: 0xf000_0000, compressedBytes: 2 ** 26, method: 8, packed: new Uint8Array(2) }

type BadArchive = readonly [id: string, reason: string, words: RegExp, archive: Uint8Array<ArrayBuffer>]

/** What the directory of the archive tells: such an archive does not come into the store. */
const seenAtOnce: readonly BadArchive[] = [
  ['absolute', 'name-absolute', /absolute/, withModel({ name: join(tmpdir(), marker) })],
  ['drive', 'name-absolute', /absolute/, withModel({ name: `C:/${marker}` })],
  ['climbing', 'name-climbs', /climbs out/, withModel({ name: `../../../${marker}` })],
  ['climbing-inside', 'name-climbs', /climbs out/, withModel({ name: `a/../../../../${marker}` })],
  ['backslash', 'name-backslash', /backslash/, withModel({ name: `a\\..\\..\\..\\${marker}` })],
  ['control', 'name-control', /control characters/, withModel({ name: `${marker}\n.txt` })],
  ['encoding', 'name-encoding', /UTF-8/, withModel({ name: new Uint8Array([0x61, 0xff]) })],
  ['duplicate', 'name-duplicate', /same place/, withModel({ name: 'MODEL.onnx' })],
  [
    'link',
    'link',
    /link/,
    withModel({ name: marker, content: '/etc/passwd', externalAttributes: unixMode(0o120777) }),
  ],
  [
    'device',
    'special-file',
    /neither a file nor a folder/,
    withModel({ name: marker, externalAttributes: unixMode(0o020666) }),
  ],
  ['encrypted', 'encrypted', /encrypted/, withModel({ name: marker, flags: 1 })],
  ['method', 'method-unknown', /method/, withModel({ name: marker, method: 99 })],
  [
    'many',
    'entries-too-many',
    /entries/,
    withModel(...Array.from({ length: 4_096 }, (_, index) => ({ name: `${index}` }))),
  ],
  ['large', 'total-too-large', /bytes/, withModel(...[...'abcde'].map((name) => ({ name, ...large })))],
  ['ratio', 'ratio-too-high', /times/, withModel(zeros(marker, 2 ** 25))],
  ['overlap', 'entries-overlap', /shares bytes/, buildArchive([model, { name: marker, headerAt: 0 }])],
  ['gap', 'out-of-bounds', /archive/, new Uint8Array(Buffer.concat([good.subarray(0, 4), good.subarray(9)]))],
  ['half', 'not-an-archive', /archive/, good.subarray(0, good.length / 2)],
  ['end', 'not-an-archive', /archive/, good.subarray(0, -1)],
  ['other-name', 'header-mismatch', /header/, withModel({ name: marker, local: { name: `../${marker}` } })],
  ['encrypted-inside', 'encrypted', /encrypted/, withModel({ name: marker, local: { flags: 1 } })],
]

/** What only shows while the content is read. */
const seenInContent: readonly BadArchive[] = [
  ['bomb', 'size-mismatch', /bytes/, withModel({ ...zeros(marker, 2 ** 24), sizeBytes: 100_000 })],
  ['checksum', 'checksum-mismatch', /checksum/, withModel({ name: marker, content: 'x', crc32: 1 })],
  [
    'garbage',
    'data-malformed',
    /deflate/,
    withModel({ name: marker, method: 8, packed: new Uint8Array(40).fill(255) }),
  ],
]

let besieged: BesiegedServer
let store: string

beforeAll(async () => {
  const folders = [...seenAtOnce, ...seenInContent].map(([id, , , archive]) => {
    return [`functions/_models/${id}/model.zip`, archive]
  })
  besieged = await besiege({
    'functions/add.ts': adding,
    'functions/_models/good/model.zip': good,
    ...Object.fromEntries(folders),
  })
  store = join(besieged.project.directory, '.isoplex')
})
afterEach(async () => {
  expect(await callWith('good')).toMatchObject({ status: 200, json: { y: 6 } })
  expect(await readdir(join(store, 'staging'))).toEqual([])
  expect(await findMarked(tmpdir())).toEqual([])
  await besieged.expectUnharmed()
})
afterAll(() => besieged[Symbol.asyncDispose]())

async function callWith(modelId: string): Promise<Reply> {
  const token = besieged.sent(await besieged.server.token(modelId))
  return await besieged.server.call('/add', { json: { x: 1 }, token })
}

/** The files below a folder that an archive of these tests has written. */
async function findMarked(folder: string): Promise<string[]> {
  const search = Bun.spawn(['find', folder, '-name', `*${marker}*`], { stdout: 'pipe', stderr: 'ignore' })
  return (await new Response(search.stdout).text()).split('\n').filter(Boolean)
}

describe('an archive in a model folder', () => {
  it.each(seenAtOnce)('is refused at the start: %s, as %s', async (id, _, words) => {
    const change = await besieged.server.event((event) => event.event === 'model' && event.id === id)
    expect(change).toMatchObject({ change: 'failed', version: null, reason: expect.stringMatching(words) })
    expect(await callWith(id)).toMatchObject({ status: 404, json: { code: 'MODEL_NOT_FOUND' } })
  })

  it.each(seenInContent)('is refused at each request: %s, as %s', async (id, reason, words) => {
    for (const _ of ['at first', 'once more']) {
      const reply = await callWith(id)
      expect(reply).toMatchObject({ status: 502, json: { code: 'ARTIFACT_BROKEN', status: 502, reason } })
      expect(reply.json.detail).toMatch(words)
      expect(reply.text).not.toContain(besieged.project.directory)
    }
  })
})

describe('an archive that is added by hand', () => {
  it('is refused with the reason, and nothing of it is kept', async () => {
    await using project = await makeProject()
    for (const [id, , words, archive] of seenAtOnce) {
      await project.write(`${id}.zip`, archive)
      const added = await project.run('models', 'add', `${id}.zip`, '--id', id)
      expect(added.code).toBe(1)
      expect(added.stderr).toMatch(words)
    }
    expect((await project.run('models', 'list', '--json')).stdout).toBe('[]\n')
    for (const folder of ['artifacts', 'staging', 'unpacked']) {
      expect(await readdir(join(project.directory, '.isoplex', folder))).toEqual([])
    }
  }, 60_000)
})

describe('an archive that takes the place of a good one in the store', () => {
  it.each([...seenAtOnce, ...seenInContent])(
    'is refused at the request: %s, as %s',
    async (id, reason, words, archive) => {
      const digest = await addSecretly(`${id}-swapped`, archive)
      const reply = await callWith(`${id}-swapped`)
      expect(reply).toMatchObject({ status: 502, json: { code: 'ARTIFACT_BROKEN', status: 502, reason } })
      expect(reply.json.detail).toMatch(words)
      expect(await readdir(join(store, 'unpacked'))).not.toContain(digest)
    },
  )

  it('gives way to a good one that is added after it', async () => {
    await addSecretly('mended', good.subarray(0, -1))
    expect(await callWith('mended')).toMatchObject({ status: 502 })
    await besieged.project.write('mended.zip', good)
    const added = await besieged.project.run('models', 'add', 'mended.zip', '--id', 'mended')
    expect(added).toMatchObject({ code: 0 })
    await until(async () => (await callWith('mended')).status === 200)
  })
})

/** Registers a good archive, and puts another one in its place where only the store should write. */
async function addSecretly(id: string, archive: Uint8Array): Promise<string> {
  const source = join(besieged.project.directory, `${id}.zip`)
  await writeFile(source, buildArchive([model, { name: 'id.txt', content: id }]))
  await using stack = new AsyncDisposableStack()
  const registry = await openRegistry({
    directory: store,
    store: await openArtifactStore({ directory: store }),
  })
  stack.defer(() => registry.close())
  const { digest } = await registry.add({ actor: 'test', id, source })
  await writeFile(join(store, 'artifacts', digest), archive)
  return digest
}
