import { describe, expect, it } from 'vitest'
import { type PageManifest, toPageManifest } from '../../runtime/page/manifest.ts'

const manifest: PageManifest = {
  isoplexPage: 1,
  functions: {
    index: { bundle: 'index-0123456789abcdef.js', hasModel: false },
    'hello/[name]': { bundle: 'hello__name_-0123456789abcdef.js', hasModel: true, timeoutMs: 5_000 },
    constructor: { bundle: 'constructor-0123456789abcdef.js', hasModel: false },
  },
  worker: 'worker-0123456789abcdef.js',
  onnx: {
    version: '1.30.0',
    webgpu: { module: 'a.mjs', wasm: 'a.wasm' },
    wasm: { module: 'b.mjs', wasm: 'b.wasm' },
  },
}
const withFunction = (fn: unknown): unknown => ({ ...manifest, functions: { a: fn } })

describe('a list of functions for pages', () => {
  it('is taken as it is', () => {
    expect(toPageManifest(manifest)).toBe(manifest)
    expect(toPageManifest({ ...manifest, functions: {} })).not.toBeNull()
  })

  it.each([
    ['nothing', null],
    ['a text', 'index'],
    ['a list', []],
    ['the form alone', { isoplexPage: 1 }],
    ['another form', { ...manifest, isoplexPage: 2 }],
    ['no functions', { ...manifest, functions: null }],
    ['a function that is none', withFunction(null)],
    ['a function without a module', withFunction({ hasModel: true })],
    ['a function that does not say whether it has a model', withFunction({ bundle: 'a.js' })],
    ['a time that no timer measures', withFunction({ bundle: 'a.js', hasModel: true, timeoutMs: 1e12 })],
    ['a time that is none', withFunction({ bundle: 'a.js', hasModel: true, timeoutMs: 'soon' })],
    ['no worker', { ...manifest, worker: undefined }],
    ['half a runtime', { ...manifest, onnx: { version: '1', wasm: manifest.onnx.wasm } }],
    ['no runtime', { ...manifest, onnx: null }],
  ])('is none where it is %s', (_, value) => {
    expect(toPageManifest(value)).toBeNull()
  })

  it.each([
    '../a.js',
    '/a.js',
    'b/a.js',
    '..',
    '//host/a.js',
    'http://host/a.js',
    'data:text/javascript,0',
    'a.js?x',
    '',
  ])('names no file elsewhere: %s', (name) => {
    expect(toPageManifest(withFunction({ bundle: name, hasModel: false }))).toBeNull()
    expect(toPageManifest({ ...manifest, worker: name })).toBeNull()
    expect(
      toPageManifest({ ...manifest, onnx: { ...manifest.onnx, wasm: { module: name, wasm: 'a' } } }),
    ).toBeNull()
  })
})
