import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, utimes, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { type ArtifactStore, openArtifactStore } from '../../runtime/model/artifact-store.ts'
import { readLeases } from '../../runtime/model/lease.ts'
import { pruneStore } from '../../runtime/model/prune.ts'
import { openStoreFolder } from '../../runtime/model/store-folder.ts'
import { startArtifactServer } from '../support/artifact-server.ts'
import { createScratch, type Scratch } from './scratch.ts'

const nothing: ReadonlySet<string> = new Set()

/** Puts artifacts of 1,000 bytes into a store and unpacks them, each used an hour later than the one before. */
async function fill(scratch: Scratch, count: number): Promise<readonly string[]> {
  // Another store, as it would be of a process that is gone: it holds what it puts.
  const store = await openArtifactStore({ directory: scratch.path('store') })
  const digests: string[] = []
  for (let index = 0; index < count; index += 1) {
    const source = await scratch.write('source.onnx', new Uint8Array(1_000).fill(index + 1))
    const { digest } = await store.put(source)
    await store.unpack(digest)
    await setUse(scratch, digest, count - index)
    digests.push(digest)
  }
  await forgetLeases(scratch)
  return digests
}

async function setUse(scratch: Scratch, digest: string, hoursAgo: number): Promise<void> {
  const at = Date.now() / 1000 - hoursAgo * 3600
  for (const name of ['artifacts', 'unpacked']) await utimes(scratch.path('store', name, digest), at, at)
}

/** What is left of the leases when their processes are gone. */
async function forgetLeases(scratch: Scratch): Promise<void> {
  for (const name of await readdir(scratch.path('store/leases')))
    await writeFile(scratch.path('store/leases', name), '{"held":[],"claims":{}}')
}

const openStore = (scratch: Scratch): Promise<ArtifactStore> =>
  openArtifactStore({ directory: scratch.path('store') })

describe('pruning', () => {
  it('removes what was used longest ago, until little enough is left', async () => {
    await using scratch = await createScratch()
    const digests = await fill(scratch, 4)
    const store = await openStore(scratch)
    expect(await store.prune({ maxBytes: 8_000, keep: nothing })).toEqual({
      removed: [],
      freedBytes: 0,
      leftBytes: 8_000,
    })
    expect(await store.prune({ maxBytes: 4_500, keep: nothing })).toEqual({
      removed: digests.slice(0, 2),
      freedBytes: 4_000,
      leftBytes: 4_000,
    })
    expect((await readdir(scratch.path('store/artifacts'))).toSorted()).toEqual(digests.slice(2).toSorted())
    expect((await readdir(scratch.path('store/unpacked'))).toSorted()).toEqual(digests.slice(2).toSorted())
    expect(await readdir(scratch.path('store/staging'))).toEqual([])
  })

  it('leaves what somebody was told the place of', async () => {
    await using scratch = await createScratch()
    const [first = '', second = ''] = await fill(scratch, 2)
    const store = await openStore(scratch)
    expect(await store.locate(first)).toMatchObject({ digest: first, sizeBytes: 1_000 })
    expect(await store.prune({ maxBytes: 0, keep: nothing })).toMatchObject({ removed: [second] })
    expect(await store.locate(first)).not.toBeNull()
    expect(await store.locate(second)).toBeNull()
  })

  it('takes a folder before its artifact, and counts a use of either', async () => {
    await using scratch = await createScratch()
    const [first = '', second = ''] = await fill(scratch, 2)
    await setUse(scratch, first, 0)
    const store = await openStore(scratch)
    expect(await store.prune({ maxBytes: 3_000, keep: nothing })).toMatchObject({
      removed: [],
      leftBytes: 3_000,
    })
    expect(await readdir(scratch.path('store/unpacked'))).toEqual([first])
    expect(await store.unpack(second)).toBe(scratch.path('store/unpacked', second))
  })

  it('leaves what cannot be downloaded again, but not its folder', async () => {
    await using scratch = await createScratch()
    const [kept = '', other = ''] = await fill(scratch, 2)
    const store = await openStore(scratch)
    expect(await store.prune({ maxBytes: 0, keep: new Set([kept]) })).toEqual({
      removed: [other],
      freedBytes: 3_000,
      leftBytes: 0,
    })
    expect(await readdir(scratch.path('store/artifacts'))).toEqual([kept])
    expect(await readdir(scratch.path('store/unpacked'))).toEqual([])
  })

  it('leaves what is held, until it is not, and what was just handed out', async () => {
    await using scratch = await createScratch()
    const [held = '', unpacked = '', other = ''] = await fill(scratch, 3)
    const holder = await openStore(scratch)
    await holder.hold([held])
    await holder.unpack(unpacked)
    const store = await openStore(scratch)
    expect(await store.prune({ maxBytes: 0, keep: nothing })).toMatchObject({
      removed: [other],
      leftBytes: 4_000,
    })
    await holder.hold([])
    expect(await store.prune({ maxBytes: 0, keep: nothing })).toMatchObject({
      removed: [held],
      leftBytes: 2_000,
    })
  })

  it('takes what a process held that was killed', async () => {
    await using scratch = await createScratch()
    await using server = startArtifactServer(new Uint8Array(1_000).fill(9))
    const fixture = new URL('fixtures/obtain.ts', import.meta.url).pathname
    const child = Bun.spawn([process.execPath, fixture, scratch.path('store'), server.url, 'hold'], {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    })
    const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader()
    child.stdin.write('go\n')
    await child.stdin.flush()
    expect(await output.read()).toMatchObject({ value: 'ready\n' })
    const digest = createHash('sha256').update(server.content).digest('hex')
    expect(await output.read()).toMatchObject({ value: digest })
    const store = await openStore(scratch)
    expect(await store.prune({ maxBytes: 0, keep: nothing })).toMatchObject({ removed: [] })
    child.kill('SIGKILL')
    await child.exited
    expect(await store.prune({ maxBytes: 0, keep: nothing })).toMatchObject({ removed: [digest] })
    expect(await readdir(scratch.path('store/origins'))).toEqual([])
  })

  it('happens after each download, and keeps what has just come', async () => {
    await using scratch = await createScratch()
    const [old = '', kept = ''] = await fill(scratch, 2)
    await using server = startArtifactServer(new Uint8Array(1_000).fill(9))
    const store = await openArtifactStore({
      directory: scratch.path('store'),
      policy: { origins: [server.url], hosts: [] },
      pruning: {
        maxBytes: 1_500,
        keep: async () => new Set([kept]),
        failed: (error) => expect.fail(String(error)),
      },
    })
    const artifact = { digest: null, url: server.url, checksum: null, sizeBytes: null, stamp: '' }
    const digest = await store.obtain(artifact, 'test/model')
    expect((await readdir(scratch.path('store/artifacts'))).toSorted()).toEqual([kept, digest].toSorted())
    expect(existsSync(scratch.path('store/artifacts', old))).toBe(false)
  })

  it('that fails takes nothing with it, and no download', async () => {
    await using scratch = await createScratch()
    const digests = await fill(scratch, 2)
    await using server = startArtifactServer(new Uint8Array(1_000).fill(9))
    const failures: unknown[] = []
    const store = await openArtifactStore({
      directory: scratch.path('store'),
      policy: { origins: [server.url], hosts: [] },
      pruning: {
        maxBytes: 0,
        keep: () => Promise.reject(new Error('no list')),
        failed: (error) => failures.push(error),
      },
    })
    const artifact = { digest: null, url: server.url, checksum: null, sizeBytes: null, stamp: '' }
    const digest = await store.obtain(artifact, 'test/model')
    expect(failures).toMatchObject([{ message: 'no list' }])
    expect((await readdir(scratch.path('store/artifacts'))).toSorted()).toEqual(
      [...digests, digest].toSorted(),
    )
  })

  it('removes downloads that nobody has come back to for a day', async () => {
    await using scratch = await createScratch()
    const store = await openStore(scratch)
    const at = Date.now() / 1000
    for (const [name, daysAgo] of [
      ['a', 2],
      ['b', 0],
    ] as const) {
      const path = await scratch.write(`store/downloads/${name.repeat(64)}`, 'half')
      await scratch.write(`store/downloads/${name.repeat(64)}.json`, '{}')
      await utimes(path, at - daysAgo * 86_400, at - daysAgo * 86_400)
    }
    await store.prune({ maxBytes: 0, keep: nothing })
    expect((await readdir(scratch.path('store/downloads'))).toSorted()).toEqual([
      'b'.repeat(64),
      `${'b'.repeat(64)}.json`,
    ])
  })

  it('puts back what somebody claims in the very moment in which it is moved aside', async () => {
    await using scratch = await createScratch()
    const [digest = ''] = await fill(scratch, 1)
    const folder = await openStoreFolder({ directory: scratch.path('store') })
    const user = await openStore(scratch)
    let found: Promise<string> | undefined
    const setAside = async (path: string): Promise<string | null> => {
      const aside = await folder.staging.setAside(path)
      if (path === folder.artifactPath(digest)) {
        // It sees nothing, and has to wait for what it will see once nobody prunes.
        found = user.obtain({ digest, url: null, checksum: null, sizeBytes: null, stamp: '' }, 'test/model')
        await expect.poll(() => readLeases(folder.leases)).toEqual(new Set([digest]))
      }
      return aside
    }
    const staging = { ...folder.staging, setAside }
    expect(await pruneStore({ ...folder, staging }, { maxBytes: 0, keep: nothing })).toEqual({
      removed: [],
      freedBytes: 1_000,
      leftBytes: 1_000,
    })
    expect(await found).toBe(digest)
  })

  it('and unpacking at once never hand out a folder that is gone', async () => {
    await using scratch = await createScratch()
    const digests = await fill(scratch, 8)
    const pruner = await openStore(scratch)
    for (let round = 0; round < 10; round += 1) {
      const user = await openStore(scratch)
      const work = digests.map(async (digest) => {
        const folder = await user.unpack(digest)
        return existsSync(`${folder}/model.onnx`)
      })
      const [found] = await Promise.all([
        Promise.all(work),
        pruner.prune({ maxBytes: 0, keep: new Set(digests) }),
        pruner.prune({ maxBytes: 0, keep: new Set(digests) }),
      ])
      expect(found).toEqual(digests.map(() => true))
      for (const digest of digests) expect(existsSync(scratch.path('store/unpacked', digest))).toBe(true)
      await forgetLeases(scratch)
    }
  })
})
