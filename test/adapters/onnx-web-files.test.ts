import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fetchedFiles, type ModelFiles, readModel } from '../../adapters/onnx-web/model-files.ts'
import { createVerdictMemory, verdictKeyOf } from '../../adapters/onnx-web/verdict.ts'

const text = (content: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(content)

/** Files in memory, by their paths. */
function filesOf(contents: Readonly<Record<string, string>>): ModelFiles {
  return {
    read: async (location) => {
      const content = contents[location]
      if (content === undefined) throw new Error('there is no such file')
      return text(content)
    },
    siblings: async () => Object.keys(contents).map((path) => path.replace(/^m\//, '')),
  }
}

describe('readModel', () => {
  it.each<[string, Record<string, string>, string[]]>([
    ['none where it names none', { 'm/a.onnx': 'graph', 'm/b.bin': 'b' }, []],
    ['those that it names', { 'm/a.onnx': 'x b.bin y', 'm/b.bin': 'b', 'm/c.bin': 'c' }, ['b.bin']],
    ['those in folders below', { 'm/a.onnx': 'w/b.bin', 'm/w/b.bin': 'b' }, ['w/b.bin']],
    ['a name at the very end, after half of it', { 'm/a.onnx': 'b.bib.bin', 'm/b.bin': 'b' }, ['b.bin']],
    ['not a name cut short', { 'm/a.onnx': 'x b.bi', 'm/b.bin': 'b' }, []],
    ['never the model itself', { 'm/a.onnx': 'a.onnx' }, []],
    ['a name beyond ASCII', { 'm/a.onnx': 'gewicht-ü.bin', 'm/gewicht-ü.bin': 'b' }, ['gewicht-ü.bin']],
  ])('takes of the siblings %s', async (_, contents, names) => {
    const { bytes, external } = await readModel(filesOf(contents), 'm/a.onnx')
    expect(bytes).toEqual(text(contents['m/a.onnx'] ?? ''))
    expect(external).toEqual(names.map((path) => ({ path, data: text(contents[`m/${path}`] ?? '') })))
  })
})

describe('fetchedFiles', () => {
  let origin = ''
  let stop = async (): Promise<void> => undefined
  beforeAll(() => {
    const server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: ({ url }) => {
        const status = Number(new URL(url).pathname.slice(1))
        return new Response(status === 200 ? 'model' : null, { status })
      },
    })
    origin = `http://127.0.0.1:${server.port}`
    stop = () => server.stop(true)
  })
  afterAll(() => stop())

  it('reads a URL', async () => {
    expect(await fetchedFiles.read(`${origin}/200`)).toEqual(text('model'))
    expect(await fetchedFiles.siblings(`${origin}/200`)).toEqual([])
  })

  it('leaves it to the engine to say that a model is not there', async () => {
    await expect(fetchedFiles.read(`${origin}/404`)).rejects.toThrow(/^there is no such file$/)
  })

  it('tells a failing server from one that is gone', async () => {
    const fault = (reason: string): object => ({ code: 'FETCH_FAILED', details: { reason } })
    await expect(fetchedFiles.read(`${origin}/503`)).rejects.toMatchObject(fault('status'))
    await stop()
    const secret = `${origin}/200?grant=secret`
    const error: unknown = await fetchedFiles.read(secret).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject(fault('connection'))
    expect((error as Error).message).toBe('The model file "200" cannot be had: its server does not answer.')
  })
})

describe('verdictKeyOf', () => {
  const subject = {
    content: { bytes: text('abc'), external: [] },
    adapter: 'nvidia ampere',
    version: '1.30.0',
    options: {},
  }

  it('names the digest, the adapter, the runtime and how the model is computed', async () => {
    expect(await verdictKeyOf(subject)).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad; nvidia ampere; onnxruntime-web 1.30.0; ["all"]',
    )
  })

  it('is another one for anything that changes the answer, and the same for what does not', async () => {
    const external = [{ path: 'w.bin', data: text('weights') }]
    const others = [
      { ...subject, content: { bytes: text('abd'), external: [] } },
      { ...subject, content: { bytes: text('abc'), external } },
      { ...subject, content: { bytes: text('abc'), external: [{ path: 'w.bin', data: text('others') }] } },
      { ...subject, adapter: 'intel xe' },
      { ...subject, version: '1.31.0' },
      { ...subject, options: { graphOptimization: 'basic' } as const },
      { ...subject, options: { providerOptions: { preferredLayout: 'NHWC' } } },
    ]
    const keys = await Promise.all([subject, ...others].map(verdictKeyOf))
    expect(new Set(keys).size).toBe(keys.length)
    const same = { ...subject, options: { intraOpThreads: 2, graphOptimization: 'all' } as const }
    expect(await verdictKeyOf(same)).toBe(keys[0])
  })
})

describe('createVerdictMemory', () => {
  it('keeps verdicts by their keys', async () => {
    const verdicts = createVerdictMemory()
    expect(await verdicts.get('a')).toBeNull()
    await verdicts.set('a', { agrees: false, reason: 'They differ.' })
    expect([await verdicts.get('a'), await verdicts.get('b')]).toEqual([
      { agrees: false, reason: 'They differ.' },
      null,
    ])
  })
})
