import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Tensor, tensor } from '../../runtime/engine/tensor.ts'
import { type EnginePage, type EnginePages, openEnginePages } from '../support/browser-engine.ts'
import { hasChromium } from '../support/chromium.ts'
import { addedTo } from '../support/model-workshop.ts'
import { addConstantModel, joinModel, slowModel } from '../support/onnx-models.ts'

describe.runIf(hasChromium)('what cannot go on', { timeout: 90_000 }, () => {
  let folder = ''
  let pages: EnginePages
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'isoplex-onnx-web-loss-'))
    writeFileSync(join(folder, 'add.onnx'), addConstantModel(1))
    writeFileSync(join(folder, 'join.onnx'), joinModel())
    writeFileSync(join(folder, 'slow.onnx'), slowModel({ layers: 64, width: 256 }))
    pages = await openEnginePages({ webgpu: true })
  })
  afterAll(async () => {
    await pages.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const lossesOf = ({ events }: EnginePage): string[] =>
    events.flatMap((event) => (event.kind === 'lost' ? [event.reason] : []))
  const rows = (count: number, width: number): Tensor =>
    tensor('float32', new Float32Array(count * width), [count, width])
  const lost = { code: 'DEVICE_LOST', status: 503, retryable: true }

  it('a lost device rejects what runs, what waits and what comes later, and is said once', async () => {
    const page = await pages.open()
    const engine = page.createEngine()
    const slow = await engine.load(join(folder, 'slow.onnx'))
    const add = await engine.load(join(folder, 'add.onnx'), { deviceOutputs: ['y'] })
    const x = rows(64, 256)
    const one = tensor('float32', Float32Array.of(1), [1])
    await slow.run({ x })
    const { y } = await add.run({ x: one })
    const requests = Promise.allSettled([slow.run({ x }), slow.run({ x }), add.run({ x: one })])
    await pages.crashGpu()
    for (const outcome of await requests) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: lost })
    }
    await expect(add.run({ x: one })).rejects.toMatchObject(lost)
    await expect(y.read()).rejects.toMatchObject(lost)
    await expect(engine.load(join(folder, 'add.onnx'))).rejects.toMatchObject(lost)
    await Promise.all([slow.dispose(), add.dispose()])
    expect(lossesOf(page)).toEqual([expect.stringMatching(/ The GPU device was lost: \S.*[^.]\.$/)])
    await page.close()
  })

  it('another worker goes on with the device that the browser then has', async () => {
    const page = await pages.open()
    const session = await page.createEngine().load(join(folder, 'add.onnx'))
    expect([session.provider, await addedTo(session, 1)]).toEqual(['webgpu', 2])
    await session.dispose()
    const again = await page.createEngine().load(join(folder, 'add.onnx'))
    expect([again.provider, await addedTo(again, 1), lossesOf(page)]).toEqual(['webgpu', 2, []])
    await page.close()
  })

  it('a session with outputs on the device does not compute a failed run’s feeds again', async () => {
    const page = await pages.open()
    const session = await page.createEngine().load(join(folder, 'join.onnx'), { deviceOutputs: ['joined'] })
    await session.run({ left: rows(2, 1), right: rows(2, 2) })
    const bad = { left: rows(3, 1), right: rows(2, 2) }
    await expect(session.run(bad)).rejects.toMatchObject({ code: 'TENSOR_MISMATCH' })
    await expect(session.run({ left: rows(2, 1), right: rows(2, 2) })).rejects.toMatchObject(lost)
    expect(lossesOf(page)).toEqual([expect.stringMatching(/A run has failed/)])
    await page.close()
  })

  it.each(['module', 'wasm'] as const)('ONNX Runtime whose %s is not there', async (missing) => {
    const page = await pages.open()
    const nowhere = 'http://127.0.0.1:9/ort.none'
    const build = { ...page.onnx.wasm, [missing]: nowhere }
    const engine = page.createEngine({ provider: 'wasm', onnx: { ...page.onnx, wasm: build } })
    const failed = {
      code: 'FETCH_FAILED',
      message: expect.stringMatching(/^ONNX Runtime's own files cannot be had: /),
      details: { reason: 'connection' },
    }
    await expect(engine.load(join(folder, 'add.onnx'))).rejects.toMatchObject(failed)
    await expect(engine.load(join(folder, 'add.onnx'))).rejects.toMatchObject(failed)
    expect(lossesOf(page)).toHaveLength(1)
    await page.close()
  })
})
