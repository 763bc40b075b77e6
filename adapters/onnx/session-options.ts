import type { InferenceSession } from 'onnxruntime-common'
import type { Provider, SessionOptions } from '../../runtime/engine/engine.ts'

/** What values an option takes. */
interface OptionKind {
  /** In words that follow "must be". */
  readonly expected: string
  readonly takes: (value: unknown) => boolean
}

const flag: OptionKind = { expected: 'true or false', takes: (value) => typeof value === 'boolean' }
const deviceIndex = wholeNumber(0, 1023)
const threadCount = wholeNumber(1, 1024)
const bufferCacheMode = oneOf('disabled', 'lazyRelease', 'simple', 'bucket')

const sessionOptionKinds = {
  intraOpThreads: threadCount,
  interOpThreads: threadCount,
  graphOptimization: oneOf('disabled', 'basic', 'extended', 'layout', 'all'),
  memoryPattern: flag,
  deviceOutputs: {
    expected: 'a list of names',
    takes: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
  },
} as const satisfies Partial<Record<keyof SessionOptions, OptionKind>>

// What the runtime's JavaScript bindings read. They would pass over another name in silence (cuda, cpu) or
// refuse it in their own words (webgpu), so it is refused here, alike for all.
const providerOptionKinds: { readonly [Name in Provider]: Readonly<Record<string, OptionKind>> } = {
  cpu: {},
  wasm: {},
  cuda: { deviceId: deviceIndex },
  tensorrt: { deviceId: deviceIndex },
  webgpu: {
    preferredLayout: oneOf('NCHW', 'NHWC'),
    validationMode: oneOf('disabled', 'wgpuOnly', 'basic', 'full'),
    enableRobustness: flag,
    storageBufferCacheMode: bufferCacheMode,
    uniformBufferCacheMode: bufferCacheMode,
    queryResolveBufferCacheMode: bufferCacheMode,
    defaultBufferCacheMode: bufferCacheMode,
  },
}

/**
 * Turns session options into those of ONNX Runtime for the provider that was chosen. What is not given is left
 * to the runtime, but for two things: its log is off, since every error comes as an exception with the same
 * text, and webgpu computes in the layout NCHW, since its other layout gives wrong convolutions for some
 * channel counts (6, 9, 15 and on; ONNX Runtime 1.30).
 *
 * @throws {TypeError} as {@link assertSessionOptions}.
 */
export function toOnnxSessionOptions(
  options: SessionOptions<string>,
  provider: Provider,
): InferenceSession.SessionOptions {
  assertSessionOptions(options)
  const { intraOpThreads, interOpThreads, graphOptimization, memoryPattern } = options
  // Without it the runtime makes the threads and lets them idle; on a device it refuses it.
  const parallel = provider === 'cpu' && interOpThreads !== undefined && interOpThreads > 1
  return {
    executionProviders: [{ name: provider, ...providerOptionsFor(options, provider) }],
    logSeverityLevel: 4,
    ...(intraOpThreads === undefined ? {} : { intraOpNumThreads: intraOpThreads }),
    ...(interOpThreads === undefined ? {} : { interOpNumThreads: interOpThreads }),
    ...(parallel ? { executionMode: 'parallel' } : {}),
    ...(graphOptimization === undefined ? {} : { graphOptimizationLevel: graphOptimization }),
    ...(memoryPattern === undefined ? {} : { enableMemPattern: memoryPattern }),
  }
}

/**
 * Refuses options that no session could be made with, whichever provider is chosen in the end.
 *
 * @throws {TypeError} that quotes the option: one with a value that the runtime does not take, or provider
 * options that their provider does not have, or that belong to none.
 */
export function assertSessionOptions(options: SessionOptions<string>): void {
  for (const [name, kind] of Object.entries(sessionOptionKinds)) {
    const value = options[name as keyof typeof sessionOptionKinds]
    if (value !== undefined) assertKind(name, kind, value)
  }
  const { provider = 'auto', providerOptions = {} } = options
  if (provider !== 'auto') assertProviderOptions(provider, providerOptions)
  else if (Object.keys(providerOptions).length > 0) {
    throw new TypeError('"providerOptions" need a provider that is named in "provider".')
  }
}

function assertProviderOptions(provider: Provider, given: Readonly<Record<string, unknown>>): void {
  const kinds = new Map(Object.entries(providerOptionKinds[provider] ?? {}))
  for (const [name, value] of Object.entries(given)) {
    const kind = kinds.get(name)
    if (kind === undefined) {
      const known = [...kinds.keys()].join(', ') || 'none'
      throw new TypeError(`"providerOptions.${name}" is no option of ${provider}; it takes ${known}.`)
    }
    assertKind(`providerOptions.${name}`, kind, value)
  }
}

function assertKind(option: string, { expected, takes }: OptionKind, value: unknown): void {
  if (takes(value)) return
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value)
  throw new TypeError(`"${option}" must be ${expected}; got ${shown}.`)
}

function providerOptionsFor(
  options: SessionOptions<string>,
  provider: Provider,
): Readonly<Record<string, unknown>> {
  const own = options.provider === provider ? options.providerOptions : {}
  return provider === 'webgpu' ? { preferredLayout: 'NCHW', ...own } : { ...own }
}

function wholeNumber(least: number, most: number): OptionKind {
  return {
    expected: `a whole number from ${least} to ${most}`,
    takes: (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
  }
}

function oneOf(...values: readonly string[]): OptionKind {
  return {
    expected: `one of ${values.join(', ')}`,
    takes: (value) => values.some((known) => known === value),
  }
}
