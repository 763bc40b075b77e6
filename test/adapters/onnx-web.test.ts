import { afterAll, beforeAll, describe } from 'vitest'
import { describeEngine } from '../contract/engine.contract.ts'
import { type EnginePage, type EnginePages, openEnginePages } from '../support/browser-engine.ts'
import { hasChromium } from '../support/chromium.ts'

describe.runIf(hasChromium)('in Chromium', () => {
  let pages: EnginePages
  let page: EnginePage
  beforeAll(async () => {
    pages = await openEnginePages({ webgpu: true })
    page = await pages.open()
  })
  afterAll(() => pages.close())

  describeEngine('onnx-web on wasm', () => page.createEngine({ provider: 'wasm' }), { provider: 'wasm' })
})
