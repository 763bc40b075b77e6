/** What a browser offers an engine: plain data. */
export interface BrowserFacts {
  /** `null` where the browser has none, or gives none away here. */
  readonly adapter: AdapterFacts | null
  /** Whether the page is cross-origin isolated, so that threads may share memory. */
  readonly isolated: boolean
  /** How many threads run side by side, as the browser says. */
  readonly cores: number
}

/** A WebGPU adapter. */
export interface AdapterFacts {
  /** Vendor, architecture and device, as far as the browser tells them. */
  readonly description: string
  /** Whether it computes on the CPU. */
  readonly software: boolean
  /** Whether its shaders may compute in float16. */
  readonly float16: boolean
}

// Adapters of browsers that do not flag them as fallbacks: SwiftShader, Mesa's and Windows' software renderers.
const softwareNames = /swiftshader|llvmpipe|lavapipe|basic render|\bwarp\b/i

/** Asks the browser. A request for an adapter that fails counts as none. */
export async function readBrowserFacts(): Promise<BrowserFacts> {
  // Older browsers and insecure pages have no `navigator.gpu`, whatever the type says.
  const gpu: GPU | undefined = globalThis.navigator?.gpu
  const adapter = await gpu?.requestAdapter().catch(() => null)
  return {
    adapter: adapter ? factsOf(adapter) : null,
    isolated: globalThis.crossOriginIsolated === true,
    cores: globalThis.navigator?.hardwareConcurrency ?? 1,
  }
}

function factsOf({ info, features }: GPUAdapter): AdapterFacts {
  const names = [info.vendor, info.architecture, info.device, info.description]
  const description = names.filter((name) => name !== '').join(' ') || 'unnamed'
  return {
    description,
    software: info.isFallbackAdapter === true || softwareNames.test(description),
    float16: features.has('shader-f16'),
  }
}
