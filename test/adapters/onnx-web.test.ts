import { afterAll, beforeAll, describe } from 'vitest'
import { describeEngine } from '../contract/engine.contract.ts'
import { type EnginePage, type EnginePages, openEnginePages } from '../support/browser-engine.ts'
import { hasChromium } from '../support/chromium.ts'

describe.runIf(hasChromium)('in Chromium', () => {
  let pages: EnginePages
  let plain: EnginePage
  let isolated: EnginePage
  beforeAll(async () => {
    pages = await openEnginePages({ webgpu: true })
    plain = await pages.open()
    isolated = await pages.open({ isolated: true })
  })
  afterAll(() => pages.close())

  describeEngine('onnx-web on wasm', () => plain.createEngine(), { provider: 'wasm' })
  describeEngine('onnx-web on wasm, with threads', () => isolated.createEngine({ threads: 2 }), {
    provider: 'wasm',
  })
  describeEngine('onnx-web on webgpu', () => plain.createEngine(), { provider: 'webgpu', tolerance: 1e-4 })
})
