import { describe, expect, it } from 'vitest'
import { rejectionOf } from '../../model/scratch.ts'
import { begin, failedEnd, storeKinds } from './test-store.ts'

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

describe.each(storeKinds)('files of a job on $name', (kind) => {
  it('are kept, listed, told of, read in pieces and fetched', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const lease = await begin(store)
    const contents = [
      ['small.txt', 'abcdef'],
      ['large.csv', 'x,y\n'.repeat(10_000)],
      ['empty', ''],
    ] as const
    for (const [name, content] of contents) {
      const path = await opened.write(name, content)
      await store.keepFile(lease, { name, mediaType: 'text/plain', path })
      expect(await Bun.file(path).text()).toBe(content)
      expect(text((await store.read(lease.jobId, { kind: 'file', name }, 0, 100_000)).bytes)).toBe(content)
      expect(text((await store.read(lease.jobId, { kind: 'file', name }, 2, 3)).bytes)).toBe(
        content.slice(2, 5),
      )
      await store.fetch(lease, { kind: 'file', name }, opened.path('fetched'))
      expect(await Bun.file(opened.path('fetched')).text()).toBe(content)
    }
    expect((await store.get(lease.jobId, null)).files).toEqual([
      { name: 'empty', mediaType: 'text/plain', bytes: 0 },
      { name: 'large.csv', mediaType: 'text/plain', bytes: 40_000 },
      { name: 'small.txt', mediaType: 'text/plain', bytes: 6 },
    ])
    expect((await store.events(lease.jobId, 2, 9)).map(({ kind: what, data }) => [what, data.name])).toEqual(
      contents.map(([name]) => ['file', name]),
    )
  })

  it('take the place of those of the same name, and leave nothing behind', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const lease = await begin(store)
    for (const content of ['a'.repeat(20_000), 'b'.repeat(30_000), 'c', 'd'.repeat(25_000)]) {
      const path = await opened.write(`source-${content.length}`, content)
      await store.keepFile(lease, { name: 'a', mediaType: `text/${content[0]}`, path })
      const { bytes, mediaType } = await store.read(lease.jobId, { kind: 'file', name: 'a' }, 0, 100_000)
      expect([text(bytes), mediaType]).toEqual([content, `text/${content[0]}`])
    }
    expect((await store.get(lease.jobId, null)).files).toHaveLength(1)
    expect((await Array.fromAsync(opened.shelf.listOlderThan(-1_000))).flat()).toHaveLength(1)
  })

  it('are held to a sum of bytes, in which a file that is replaced does not count', async () => {
    await using opened = await kind.open({ maxJobBytes: 50_000 })
    const { store } = opened
    const lease = await begin(store, { body: new Uint8Array(60_000) })
    const keep = async (name: string, size: number) =>
      await store.keepFile(lease, {
        name,
        mediaType: 'text/plain',
        path: await opened.write(name, 'x'.repeat(size)),
      })
    await keep('a', 30_000)
    await keep('a', 50_000)
    const error = await rejectionOf(keep('b', 1))
    expect(error).toMatchObject({ code: 'JOB_TOO_LARGE', details: { limitBytes: 50_000 } })
    expect(error).toMatchObject({ message: expect.stringContaining('"b"') })
    await keep('a', 49_999)
    await keep('b', 1)
  })

  it('are not there before they were kept, and not after a job that ended without them', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const lease = await begin(store)
    for (const content of [
      { kind: 'file', name: 'a' },
      { kind: 'file', name: 'a\u0000' },
      { kind: 'result' },
    ] as const) {
      const unfinished = { code: 'JOB_UNFINISHED' }
      expect(await rejectionOf(store.read(lease.jobId, content, 0, 9))).toMatchObject(unfinished)
      expect(await rejectionOf(store.fetch(lease, content, opened.path('f')))).toMatchObject(unfinished)
    }
    await store.finish(lease, { ...failedEnd, result: null })
    expect(await rejectionOf(store.read(lease.jobId, { kind: 'file', name: 'a' }, 0, 9))).toMatchObject({
      code: 'JOB_ENDED',
      details: { state: 'failed', code: 'STEP_FAILED' },
    })
  })

  it('can be read while they are replaced', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const lease = await begin(store)
    const paths = [
      await opened.write('one', '1'.repeat(40_000)),
      await opened.write('two', '2'.repeat(40_000)),
    ]
    const keep = (index: number) =>
      store.keepFile(lease, { name: 'a', mediaType: 'text/plain', path: paths[index % 2] ?? '' })
    await keep(0)
    let replacing = true
    const replaced = (async () => {
      for (let index = 1; index < 30; index += 1) await keep(index)
      replacing = false
    })()
    let reads = 0
    while (replacing) {
      const { bytes } = await store.read(lease.jobId, { kind: 'file', name: 'a' }, 0, 100_000)
      expect(['1', '2'].map((digit) => digit.repeat(40_000))).toContain(text(bytes))
      reads += 1
    }
    await replaced
    expect(reads).toBeGreaterThan(0)
  })

  it('fail as they are where what the shelf had is gone', async () => {
    await using opened = await kind.open()
    const { store } = opened
    const lease = await begin(store)
    const path = await opened.write('a', 'x'.repeat(20_000))
    await store.keepFile(lease, { name: 'a', mediaType: 'text/plain', path })
    await opened.shelf.remove((await Array.fromAsync(opened.shelf.listOlderThan(-1_000))).flat())
    expect(await rejectionOf(store.read(lease.jobId, { kind: 'file', name: 'a' }, 0, 9))).toMatchObject({
      code: 'JOB_NOT_FOUND',
    })
  })
})
