import { describe, expect, it } from 'vitest'
import { formatIndex, pageIndexOf } from '../../../runtime/server/page/page-index.ts'
import { sampleFunction } from '../../build/manifest-samples.ts'
import { createScratch } from '../../model/scratch.ts'
import { writeAssets } from './page-samples.ts'

describe('pageIndexOf', () => {
  it('lists the functions that run in browsers and all files, and no other function', async () => {
    await using scratch = await createScratch()
    const assets = await writeAssets(scratch)
    const bundle = 'a.browser-0123456789abcdef.js'
    const functions = [
      sampleFunction('a', { kind: 'inference', browser: { bundle }, timeoutMs: 5 }),
      sampleFunction('hidden'),
      sampleFunction('__proto__', { browser: { bundle } }),
    ]
    const index = pageIndexOf(functions, assets)
    expect(JSON.parse(formatIndex(index))).toEqual(JSON.parse(JSON.stringify(index)))
    expect(Object.entries(index.functions)).toEqual([
      ['a', { bundle, hasModel: true, timeoutMs: 5 }],
      ['__proto__', { bundle, hasModel: false }],
    ])
    expect(index.files).toEqual([bundle, ...assets.files].toSorted())
    expect(index).toMatchObject({
      isoplexPage: 1,
      worker: assets.names.worker,
      client: assets.names.client,
      onnx: {
        version: '1.2.3',
        webgpu: { module: assets.names.webgpuModule, wasm: assets.names.webgpuWasm },
        wasm: { module: assets.names.wasmModule, wasm: assets.names.wasmWasm },
      },
    })
    expect(formatIndex(index)).not.toContain('hidden')
  })
})
