import type { FunctionManifest } from '../../build/manifest.ts'
import { type AssetSet, assetOf } from '../../build/page/asset-set.ts'
import type { PageFunction, PageManifest } from '../../page/manifest.ts'

/** What `index.json` says: what a page needs, and all files that were built for pages. */
export interface PageIndex extends PageManifest {
  /** The client as one module, for pages that bundle nothing. */
  readonly client: string
  /** The names of all files, those included that others import: what to keep for a page that works offline. */
  readonly files: readonly string[]
}

/** Lists what was built for pages: the functions that run there, and isoplex's own files. */
export function pageIndexOf(functions: readonly FunctionManifest[], assets: AssetSet): PageIndex {
  const own = functions.flatMap((fn) => {
    const { name, browser, kind, timeoutMs } = fn
    if (!browser) return []
    const hasModel = kind === 'inference'
    const entry: PageFunction = {
      bundle: browser.bundle,
      hasModel,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    }
    return [[name, entry] as const]
  })
  return {
    isoplexPage: 1,
    functions: Object.fromEntries(own),
    worker: assetOf(assets, 'worker'),
    onnx: {
      version: assets.onnxVersion,
      webgpu: { module: assetOf(assets, 'webgpuModule'), wasm: assetOf(assets, 'webgpuWasm') },
      wasm: { module: assetOf(assets, 'wasmModule'), wasm: assetOf(assets, 'wasmWasm') },
    },
    client: assetOf(assets, 'client'),
    files: [...new Set([...own.map(([, { bundle }]) => bundle), ...assets.files])].sort(),
  }
}

/** An index as it is sent and written. */
export function formatIndex(index: PageIndex): string {
  return `${JSON.stringify(index, null, 2)}\n`
}
