import { IsoplexError } from '../error/error.ts'
import type { Provider } from './engine.ts'
import type { LibraryFacts, MachineFacts } from './machine-facts.ts'

/** Every provider there is, in the order of `isoplex doctor`. */
export const providers: readonly Provider[] = Object.freeze(['cpu', 'cuda', 'tensorrt', 'webgpu', 'wasm'])

/** What somebody would like to compute on; the part of the session's options that says so. */
export interface ProviderWish {
  /** @default 'auto' */
  readonly provider?: Provider | 'auto'
  /** @default none */
  readonly fallback?: Provider
}

/** What will compute, and why. */
export interface ProviderChoice {
  readonly provider: Provider
  /** A sentence for people. */
  readonly reason: string
  /** What the better provider lacks: the wished one, or cuda where `auto` did not take it. */
  readonly missing: readonly string[]
  /** Whether this is the fallback and not what was wished for. */
  readonly fellBack: boolean
}

/** Whether a provider is to be had on a machine, why, and how to get it. */
export interface ProviderState {
  readonly provider: Provider
  readonly available: boolean
  /** A sentence for people. */
  readonly reason: string
  readonly missing: readonly string[]
  /** What to do to get the provider here; `null` where nothing needs doing or nothing helps. */
  readonly advice: string | null
}

type Finding = Omit<ProviderState, 'provider'>

/**
 * Chooses a provider from the facts alone: no file is read and no library loaded. `auto` takes cuda where its
 * libraries and a device are there, else cpu. It takes nothing that is there but seldom wished for: tensorrt
 * builds for minutes at load, and webgpu on a server may well be a software adapter.
 *
 * @throws {IsoplexError} `PROVIDER_UNAVAILABLE`, with what is missing and how to get it, where neither the wish
 * nor its fallback is to be had.
 * @throws {TypeError} where the wish names no provider.
 */
export function selectProvider(facts: MachineFacts, wish: ProviderWish = {}): ProviderChoice {
  const { provider = 'auto', fallback } = wish
  if (provider !== 'auto') assertProvider('provider', provider, ['auto', ...providers])
  if (fallback !== undefined) assertProvider('fallback', fallback, providers)
  if (provider === 'auto') return selectUnasked(facts, fallback)
  const wished = explainProvider(facts, provider)
  if (wished.available) return choice(provider, wished.reason)
  return selectFallback(facts, wished, fallback)
}

/** What every provider's state is on a machine, in the order of {@link providers}. */
export function explainProviders(facts: MachineFacts): readonly ProviderState[] {
  return providers.map((provider) => explainProvider(facts, provider))
}

function selectUnasked(facts: MachineFacts, fallback: Provider | undefined): ProviderChoice {
  const cuda = explainProvider(facts, 'cuda')
  if (cuda.available) return choice('cuda', cuda.reason)
  const cpu = explainProvider(facts, 'cpu')
  if (cpu.available) return choice('cpu', `CUDA is not to be had. ${cuda.reason}`, cuda.missing)
  return selectFallback(facts, cpu, fallback)
}

function selectFallback(
  facts: MachineFacts,
  wished: ProviderState,
  fallback: Provider | undefined,
): ProviderChoice {
  const other = fallback === undefined ? undefined : explainProvider(facts, fallback)
  if (other?.available) return { ...choice(other.provider, wished.reason, wished.missing), fellBack: true }
  const failed = [wished, ...(other === undefined || other.provider === wished.provider ? [] : [other])]
  const message = failed.map(({ provider, reason, advice }) =>
    [`The execution provider "${provider}" is not available here. ${reason}`, advice]
      .filter(Boolean)
      .join(' '),
  )
  if (other === undefined) message.push('The session option "fallback" may name another provider.')
  throw new IsoplexError('PROVIDER_UNAVAILABLE', message.join(' '), {
    details: { missing: failed.flatMap(({ missing }) => missing) },
  })
}

function choice(provider: Provider, reason: string, missing: readonly string[] = []): ProviderChoice {
  return { provider, reason, missing, fellBack: false }
}

function assertProvider(option: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return
  throw new TypeError(`"${option}" must be one of ${allowed.join(', ')}; got ${JSON.stringify(value)}.`)
}

function explainProvider(facts: MachineFacts, provider: Provider): ProviderState {
  return { provider, ...findings[provider](facts) }
}

const findings: { readonly [Name in Provider]: (facts: MachineFacts) => Finding } = {
  cpu: (facts) => (lists(facts, 'cpu') ? available('It is part of the runtime.') : unbuilt(facts, 'cpu')),
  cuda: (facts) => explainNvidia(facts, 'cuda', facts.libraries.cuda),
  tensorrt: (facts) => explainNvidia(facts, 'tensorrt', facts.libraries.tensorrt),
  webgpu: explainWebgpu,
  wasm: (facts) =>
    lists(facts, 'wasm')
      ? available('It is part of the runtime.')
      : unavailable('It computes in browsers.', ['wasm'], null),
}

function explainNvidia(facts: MachineFacts, provider: 'cuda' | 'tensorrt', libraries: LibraryFacts): Finding {
  if (!lists(facts, provider)) return unbuilt(facts, provider)
  const { devices, driver } = facts.nvidia
  const faults = [libraryFault(libraries), deviceFault(facts.nvidia)].filter((fault) => fault !== null)
  if (faults.length === 0) {
    return available(`${devices.join(', ')}${driver === null ? '' : `, driver ${driver}`}.`)
  }
  return unavailable(
    faults.map(({ reason }) => reason).join(' '),
    faults.flatMap(({ missing }) => missing),
    faults.map(({ advice }) => advice).join(' '),
  )
}

interface Fault {
  readonly reason: string
  readonly missing: readonly string[]
  readonly advice: string
}

function libraryFault({ missing }: LibraryFacts): Fault | null {
  if (missing.length === 0) return null
  if (missing.some((name) => name.startsWith('libonnxruntime_'))) {
    return {
      reason: `Beside the binding of onnxruntime-node there is no ${missing.join(', ')}.`,
      missing,
      advice:
        'Fetch it with ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js (Linux on x64 only), then look again: it says which libraries of CUDA it needs.',
    }
  }
  return {
    reason: `The loader does not find ${missing.join(', ')}.`,
    missing,
    advice:
      'Install what has them (the driver, CUDA, cuDNN 9, for tensorrt also TensorRT) where ldconfig or LD_LIBRARY_PATH names it.',
  }
}

function deviceFault({ devices, hidden }: MachineFacts['nvidia']): Fault | null {
  if (devices.length === 0) {
    return {
      reason: 'There is no NVIDIA device (/dev/nvidia0 and on).',
      missing: ['NVIDIA device'],
      advice: 'In a container, pass the devices in (docker run --gpus all).',
    }
  }
  if (!hidden) return null
  return {
    reason: 'CUDA_VISIBLE_DEVICES hides every device.',
    missing: ['visible NVIDIA device'],
    advice: 'Unset CUDA_VISIBLE_DEVICES, or name a device in it.',
  }
}

function explainWebgpu(facts: MachineFacts): Finding {
  if (!lists(facts, 'webgpu')) return unbuilt(facts, 'webgpu')
  if (facts.platform !== 'linux') return available('It stands on the graphics system of the platform.')
  const { loader, drivers, renderNodes } = facts.vulkan
  const hardware = renderNodes.length + facts.nvidia.devices.length > 0
  // A software adapter is tens of times slower than the CPU provider: it counts only for one who names it.
  const usable = drivers.filter(({ software, named }) => (software ? named : hardware))
  if (!loader) {
    return unavailable('The loader does not find libvulkan.so.1.', ['libvulkan.so.1'], vulkanAdvice)
  }
  if (usable.length === 0) return unavailable(vulkanFault(facts), ['Vulkan driver'], vulkanAdvice)
  const names = usable.map(({ name, software }) => (software ? `${name} (software)` : name))
  return available(`Vulkan, by ${names.join(', ')}.`)
}

function vulkanFault({ vulkan: { drivers } }: MachineFacts): string {
  if (drivers.length === 0) return 'Vulkan has no driver.'
  const names = drivers.map(({ name }) => name).join(', ')
  return drivers.every(({ software }) => software)
    ? `Vulkan has software drivers only (${names}), which count where VK_DRIVER_FILES names them.`
    : `Vulkan has drivers (${names}), but there is no device (/dev/dri/renderD128 and on, /dev/nvidia0 and on).`
}

const vulkanAdvice =
  'Install libvulkan1 and the Vulkan driver of the GPU. To try it without a GPU, install libvulkan1 and chromium-common (Debian) and start with VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json.'

const bindingAdvice =
  'It has binaries for Linux with glibc 2.28 or newer (not musl) on x64 and arm64, macOS on arm64, and Windows.'

function lists({ backends }: MachineFacts, provider: Provider): boolean {
  return backends.some(({ name }) => name === provider)
}

function unbuilt({ platform, architecture, backends }: MachineFacts, provider: Provider): Finding {
  const place = `${platform} on ${architecture}`
  return backends.length === 0
    ? unavailable(`onnxruntime-node does not load on ${place}.`, ['onnxruntime-node'], bindingAdvice)
    : unavailable(`The runtime is not built with it for ${place}.`, [provider], null)
}

function available(reason: string): Finding {
  return { available: true, reason, missing: [], advice: null }
}

function unavailable(reason: string, missing: readonly string[], advice: string | null): Finding {
  return { available: false, reason, missing, advice }
}
