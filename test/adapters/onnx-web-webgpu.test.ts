import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { WebProviderFallback } from '../../adapters/onnx-web/options.ts'
import type { Session } from '../../runtime/engine/engine.ts'
import { elementCount, type Tensor, tensor } from '../../runtime/engine/tensor.ts'
import { pseudoRandom, randomFloats } from '../support/arithmetic.ts'
import { type EnginePage, type EnginePages, openEnginePages } from '../support/browser-engine.ts'
import { hasChromium } from '../support/chromium.ts'
import { addedTo } from '../support/model-workshop.ts'
import {
  addConstantModel,
  convolutionModel,
  doubleModel,
  garbageBytes,
  joinModel,
  slowModel,
} from '../support/onnx-models.ts'

let folder = ''
let files = 0

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'isoplex-onnx-web-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Writes a model of its own name and gives its path. */
function write(bytes: Uint8Array): string {
  const path = join(folder, `${++files}.onnx`)
  writeFileSync(path, bytes)
  return path
}

describe.runIf(hasChromium)('in Chromium with an adapter in software', { timeout: 90_000 }, () => {
  let pages: EnginePages
  let page: EnginePage
  beforeAll(async () => {
    pages = await openEnginePages({ webgpu: true })
  })
  beforeEach(async () => {
    page = await pages.open()
  })
  afterEach(() => page.close())
  afterAll(() => pages.close())

  const fallbacks = (): WebProviderFallback[] =>
    page.events.flatMap((event) => (event.kind === 'fallback' ? [event.fallback] : []))
  const stages = (): string[] =>
    page.events.flatMap((event) => (event.kind === 'stage' ? [event.stage.stage] : []))

  describe('the provider', () => {
    it('is webgpu unasked; its first answer is verified, once for each model', async () => {
      const engine = page.createEngine()
      const [path, other] = [write(addConstantModel(1)), write(addConstantModel(2))]
      const session = await engine.load(path)
      expect([session.provider, stages()]).toEqual(['webgpu', ['load']])
      expect([await addedTo(session, 1), await addedTo(session, 2)]).toEqual([2, 3])
      expect(await addedTo(await engine.load(path), 3)).toBe(4)
      expect(stages()).toEqual(['load', 'verify', 'load'])
      expect(await addedTo(await engine.load(other), 3)).toBe(5)
      expect(stages()).toEqual(['load', 'verify', 'load', 'load', 'verify'])
      expect(fallbacks()).toEqual([])
    })

    it('is wasm where software adapters do not count, and says so', async () => {
      const engine = page.createEngine({ softwareAdapters: false })
      const path = write(addConstantModel(1))
      for (const options of [{}, { provider: 'webgpu', fallback: 'wasm' }] as const) {
        const session = await engine.load(path, options)
        expect([session.provider, await addedTo(session, 1)]).toEqual(['wasm', 2])
      }
      const reason = expect.stringMatching(/^The only WebGPU adapter \(.*\) computes in software\.$/)
      const location = expect.stringContaining(path)
      expect(fallbacks()).toEqual([
        { location, wished: 'auto', provider: 'wasm', reason },
        { location, wished: 'webgpu', provider: 'wasm', reason },
      ])
      await expect(engine.load(path, { provider: 'webgpu' })).rejects.toMatchObject({
        code: 'PROVIDER_UNAVAILABLE',
        details: { missing: ['webgpu'] },
      })
    })

    it('is what the engine was made with where a session names none', async () => {
      const session = await page.createEngine({ provider: 'wasm' }).load(write(addConstantModel(1)))
      expect([session.provider, fallbacks()]).toEqual(['wasm', []])
    })
  })

  describe('a model that webgpu computes wrong', () => {
    // The provider's own error: in this layout its convolutions of 9 channels are wrong.
    const wrong = { provider: 'webgpu', providerOptions: { preferredLayout: 'NHWC' } } as const
    const model = convolutionModel()
    const dims = model.inputDims(1)
    const elements = randomFloats(pseudoRandom(1), elementCount(dims))
    const x = tensor('float32', elements, dims)
    const distance = async (session: Session): Promise<number> => {
      const { y } = await session.run({ x })
      return Math.max(...model.answer(elements).map((element, at) => Math.abs(element - Number(y?.at(at)))))
    }

    it('is answered by wasm from its first request on, which is said', async () => {
      const engine = page.createEngine()
      const path = write(model.bytes)
      const session = await engine.load(path, { ...wrong, fallback: 'wasm' })
      expect(session.provider).toBe('webgpu')
      expect(await distance(session)).toBeLessThan(1e-4)
      expect(session.provider).toBe('wasm')
      expect(await distance(session)).toBeLessThan(1e-4)
      const next = await engine.load(path, { ...wrong, fallback: 'wasm' })
      expect([next.provider, (await distance(next)) < 1e-4]).toEqual(['wasm', true])
      expect(stages()).toEqual(['load', 'verify', 'load'])
      const reason = expect.stringMatching(
        /^webgpu and wasm differ: output "y" has \S+ instead of \S+ at position \d+\.$/,
      )
      expect(fallbacks()).toMatchObject([
        { wished: 'webgpu', reason },
        { wished: 'webgpu', reason },
      ])
    })

    it('is refused where nothing else may answer, and never answered wrong', async () => {
      const engine = page.createEngine()
      const path = write(model.bytes)
      const session = await engine.load(path, wrong)
      const refusal = {
        code: 'PROVIDER_UNAVAILABLE',
        message: expect.stringMatching(
          /^The model file "\d+\.onnx" is not computed on webgpu here, .* differ: /,
        ),
      }
      await expect(session.run({ x })).rejects.toMatchObject(refusal)
      await expect(session.run({ x })).rejects.toMatchObject(refusal)
      await expect(engine.load(path, wrong)).rejects.toMatchObject(refusal)
      // The layout that is taken unasked computes it right: its verdict is another one.
      expect(await distance(await engine.load(path, { provider: 'webgpu' }))).toBeLessThan(1e-4)
    })
  })

  it('answers by wasm what the adapter has no float16 for', async () => {
    const engine = page.createEngine()
    const session = await engine.load(write(doubleModel('float16')))
    const x = tensor('float16', Float16Array.of(1.5, -2), [2])
    expect((await session.run({ x })).y?.toArray()).toEqual([3, -4])
    expect(session.provider).toBe('wasm')
    expect(fallbacks()).toMatchObject([
      { reason: expect.stringMatching(/^webgpu fails on what wasm computes\. .*f16/) },
    ])
  })

  it('copies nothing out of the GPU that is to stay there', async () => {
    const engine = page.createEngine()
    const path = write(addConstantModel(1))
    await addedTo(await engine.load(path), 1)
    const session = await engine.load(path, { deviceOutputs: ['y'] })
    const before = await page.countDownloads()
    let { y } = await session.run({ x: tensor('float32', Float32Array.of(1), [1]) })
    for (let run = 0; run < 3; run++) y = (await session.run({ x: y })).y
    expect(await page.countDownloads()).toBe(before)
    expect((await y.read()).item()).toBe(5)
    expect(await page.countDownloads()).toBe(before + 1)
  })

  it('answers 20 requests at once, in their order', async () => {
    const session = await page.createEngine().load(write(addConstantModel(100)))
    const ended: number[] = []
    const answers = Array.from({ length: 20 }, async (_, index) => {
      const answer = await addedTo(session, index)
      ended.push(index)
      return answer
    })
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 20 }, (_, index) => 100 + index))
    expect(ended).toEqual(Array.from({ length: 20 }, (_, index) => index))
  })

  it('makes sessions while others run, and tells broken models from sound ones', async () => {
    const engine = page.createEngine()
    const slow = await engine.load(write(slowModel({ layers: 8, width: 32 })))
    const x = tensor('float32', new Float32Array(32), [1, 32])
    const [garbage, path] = [write(garbageBytes()), write(addConstantModel(1))]
    const outcomes = await Promise.allSettled([
      slow.run({ x }),
      engine.load(garbage),
      engine.load(path).then((session) => addedTo(session, 1)),
      engine.load(garbage),
      engine.load(path, { provider: 'wasm' }).then((session) => addedTo(session, 1)),
      slow.dispose(),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ])
    expect(fallbacks()).toEqual([])
  })

  it('verifies with threads where the page is isolated', async () => {
    const isolated = await pages.open({ isolated: true })
    const session = await isolated
      .createEngine({ threads: 2 })
      .load(write(slowModel({ layers: 2, width: 128 })))
    const x = tensor(
      'float32',
      Float32Array.from({ length: 128 * 128 }, (_, at) => at % 128),
      [128, 128],
    )
    expect((await session.run({ x })).y?.at(2)).toBe(0)
    const verified = { kind: 'stage', stage: expect.objectContaining({ stage: 'verify' }) }
    expect([session.provider, isolated.events]).toEqual(['webgpu', expect.arrayContaining([verified])])
    await isolated.close()
  })

  it('goes on after feeds that a model fails on, which prove nothing', async () => {
    const session = await page.createEngine().load(write(joinModel()))
    const rows = (count: number, width: number): Tensor =>
      tensor('float32', new Float32Array(count * width), [count, width])
    const bad = { left: rows(3, 1), right: rows(2, 2) }
    await expect(session.run(bad)).rejects.toMatchObject({ code: 'TENSOR_MISMATCH' })
    const { joined } = await session.run({ left: rows(2, 1), right: rows(2, 2) })
    expect([joined?.dims, session.provider, fallbacks()]).toEqual([[2, 3], 'webgpu', []])
  })
})

describe.runIf(hasChromium)('in Chromium without an adapter', () => {
  it('computes on wasm, and says so', async () => {
    await using pages = await openEnginePages()
    const page = await pages.open()
    const session = await page.createEngine().load(write(addConstantModel(1)))
    expect([session.provider, await addedTo(session, 1)]).toEqual(['wasm', 2])
    expect(page.events).toContainEqual({
      kind: 'fallback',
      fallback: expect.objectContaining({ reason: 'The browser offers no WebGPU adapter.' }),
    })
  })
})
