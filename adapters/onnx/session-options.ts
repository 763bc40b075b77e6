import type { InferenceSession } from 'onnxruntime-common'
import type { Provider, SessionOptions } from '../../runtime/engine/engine.ts'

type OptionKind = 'index' | 'flag' | readonly string[]

const bufferCacheModes = ['disabled', 'lazyRelease', 'simple', 'bucket'] as const

// What the runtime's JavaScript bindings read. Another name would be passed over in silence (cuda, cpu) or
// refused with the runtime's own words (webgpu), so it is refused here, alike for all.
const providerOptionKinds: { readonly [Name in Provider]: Readonly<Record<string, OptionKind>> } = {
  cpu: {},
  wasm: {},
  cuda: { deviceId: 'index' },
  tensorrt: { deviceId: 'index' },
  webgpu: {
    preferredLayout: ['NCHW', 'NHWC'],
    validationMode: ['disabled', 'wgpuOnly', 'basic', 'full'],
    enableRobustness: 'flag',
    storageBufferCacheMode: bufferCacheModes,
    uniformBufferCacheMode: bufferCacheModes,
    queryResolveBufferCacheMode: bufferCacheModes,
    defaultBufferCacheMode: bufferCacheModes,
  },
}

const graphOptimizations = ['disabled', 'basic', 'extended', 'layout', 'all'] as const

/**
 * Turns session options into those of ONNX Runtime for the provider that was chosen. What is not given is left
 * to the runtime, but for two things: its log is off, since every error comes as an exception with the same
 * text, and webgpu computes in the layout NCHW, since its other layout gives wrong convolutions for some
 * channel counts (6, 9, 15 and on; ONNX Runtime 1.30).
 *
 * @throws {TypeError} where an option has a value that the runtime does not take, or provider options are
 * given without naming their provider.
 */
export function toOnnxSessionOptions(
  options: SessionOptions,
  provider: Provider,
): InferenceSession.SessionOptions {
  assertSessionOptions(options)
  const { intraOpThreads, interOpThreads, graphOptimization, memoryPattern } = options
  return {
    executionProviders: [{ name: provider, ...providerOptionsFor(options, provider) }],
    logSeverityLevel: 4,
    ...(intraOpThreads === undefined ? {} : { intraOpNumThreads: intraOpThreads }),
    ...(interOpThreads === undefined ? {} : { interOpNumThreads: interOpThreads }),
    // Without it the runtime makes the threads and lets them idle; on a device it refuses it.
    ...(provider === 'cpu' && interOpThreads !== undefined && interOpThreads > 1
      ? { executionMode: 'parallel' }
      : {}),
    ...(graphOptimization === undefined ? {} : { graphOptimizationLevel: graphOptimization }),
    ...(memoryPattern === undefined ? {} : { enableMemPattern: memoryPattern }),
  }
}

/**
 * Refuses options that no session could be made with, whichever provider is chosen in the end.
 *
 * @throws {TypeError} that quotes the option.
 */
export function assertSessionOptions(options: SessionOptions): void {
  const { provider = 'auto', graphOptimization, memoryPattern, providerOptions = {} } = options
  for (const name of ['intraOpThreads', 'interOpThreads'] as const) {
    const count = options[name]
    if (count !== undefined)
      demand(
        Number.isInteger(count) && count >= 1 && count <= 1024,
        name,
        'a whole number from 1 to 1024',
        count,
      )
  }
  if (graphOptimization !== undefined) {
    demand(
      graphOptimizations.includes(graphOptimization),
      'graphOptimization',
      oneOf(graphOptimizations),
      graphOptimization,
    )
  }
  if (memoryPattern !== undefined) {
    demand(typeof memoryPattern === 'boolean', 'memoryPattern', 'true or false', memoryPattern)
  }
  if (Object.keys(providerOptions).length === 0) return
  if (provider === 'auto')
    throw new TypeError('"providerOptions" need a provider that is named in "provider".')
  assertProviderOptions(provider, providerOptions)
}

function assertProviderOptions(
  provider: Provider,
  providerOptions: NonNullable<SessionOptions['providerOptions']>,
): void {
  const kinds = providerOptionKinds[provider]
  for (const [name, value] of Object.entries(providerOptions)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
    if (kind === undefined) {
      const known = Object.keys(kinds).join(', ') || 'none'
      throw new TypeError(`"providerOptions.${name}" is no option of ${provider}; it takes ${known}.`)
    }
    if (kind === 'index')
      demand(
        Number.isInteger(value) && Number(value) >= 0,
        `providerOptions.${name}`,
        'a whole number from 0',
        value,
      )
    else if (kind === 'flag')
      demand(typeof value === 'boolean', `providerOptions.${name}`, 'true or false', value)
    else
      demand(
        kind.some((allowed) => allowed === value),
        `providerOptions.${name}`,
        oneOf(kind),
        value,
      )
  }
}

function providerOptionsFor(options: SessionOptions, provider: Provider): Readonly<Record<string, unknown>> {
  const own = options.provider === provider ? options.providerOptions : {}
  return provider === 'webgpu' ? { preferredLayout: 'NCHW', ...own } : { ...own }
}

function demand(holds: boolean, option: string, expected: string, value: unknown): void {
  if (holds) return
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value)
  throw new TypeError(`"${option}" must be ${expected}; got ${shown}.`)
}

function oneOf(values: readonly string[]): string {
  return `one of ${values.join(', ')}`
}
