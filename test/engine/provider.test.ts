import { describe, expect, it } from 'vitest'
import type { MachineFacts } from '../../runtime/engine/machine-facts.ts'
import {
  explainProviders,
  type ProviderWish,
  providers,
  selectProvider,
} from '../../runtime/engine/provider.ts'
import { isIsoplexError } from '../../runtime/error/error.ts'

const backends = [
  { name: 'cpu', bundled: true },
  { name: 'webgpu', bundled: true },
  { name: 'cuda', bundled: false },
  { name: 'tensorrt', bundled: false },
]

/** A server without any graphics hardware, as onnxruntime-node is installed there. */
const plain: MachineFacts = {
  platform: 'linux',
  architecture: 'x64',
  backends,
  libraries: {
    cuda: { found: [], missing: ['libonnxruntime_providers_cuda.so'] },
    tensorrt: { found: [], missing: ['libonnxruntime_providers_tensorrt.so'] },
  },
  nvidia: { devices: [], driver: null, hidden: false },
  vulkan: { loader: false, drivers: [], renderNodes: [] },
}

const libraries = {
  cuda: { found: ['libonnxruntime_providers_cuda.so', 'libcudart.so.12'], missing: [] },
  tensorrt: plain.libraries.tensorrt,
}
const nvidia = { devices: ['NVIDIA L4'], driver: '550.54.15', hidden: false }
const nvidiaDriver = { name: 'nvidia_icd.json', software: false, named: false }
const softwareDriver = { name: 'vk_swiftshader_icd.json', software: true, named: false }

const machines = {
  plain,
  cuda: { ...plain, libraries, nvidia },
  'cuda without a device': { ...plain, libraries },
  'cuda hidden': { ...plain, libraries, nvidia: { ...nvidia, hidden: true } },
  'cuda without its libraries': {
    ...plain,
    nvidia,
    libraries: {
      ...libraries,
      cuda: { found: ['libonnxruntime_providers_cuda.so'], missing: ['libcublas.so.12', 'libcudnn.so.9'] },
    },
  },
  'device only': { ...plain, nvidia },
  tensorrt: {
    ...plain,
    nvidia,
    libraries: { ...libraries, tensorrt: { found: ['libnvinfer.so.10'], missing: [] } },
  },
  vulkan: {
    ...plain,
    nvidia,
    vulkan: { loader: true, drivers: [nvidiaDriver], renderNodes: ['renderD128'] },
  },
  'vulkan without its loader': {
    ...plain,
    nvidia,
    vulkan: { loader: false, drivers: [nvidiaDriver], renderNodes: ['renderD128'] },
  },
  'vulkan without a driver': { ...plain, vulkan: { loader: true, drivers: [], renderNodes: ['renderD128'] } },
  'vulkan without a device': { ...plain, vulkan: { loader: true, drivers: [nvidiaDriver], renderNodes: [] } },
  'software found': { ...plain, vulkan: { loader: true, drivers: [softwareDriver], renderNodes: [] } },
  'software named': {
    ...plain,
    vulkan: { loader: true, drivers: [{ ...softwareDriver, named: true }], renderNodes: [] },
  },
  mac: { ...plain, platform: 'darwin', architecture: 'arm64', backends: backends.slice(0, 2) },
  'no binding': { ...plain, platform: 'linux', architecture: 'riscv64', backends: [] },
} satisfies Record<string, MachineFacts>

type Machine = keyof typeof machines

describe('selectProvider', () => {
  it.each<[Machine, ProviderWish, string, boolean]>([
    ['plain', {}, 'cpu', false],
    ['plain', { provider: 'auto' }, 'cpu', false],
    ['plain', { provider: 'auto', fallback: 'webgpu' }, 'cpu', false],
    ['plain', { provider: 'cpu' }, 'cpu', false],
    ['plain', { provider: 'cuda', fallback: 'cpu' }, 'cpu', true],
    ['plain', { provider: 'webgpu', fallback: 'cpu' }, 'cpu', true],
    ['plain', { provider: 'wasm', fallback: 'cpu' }, 'cpu', true],
    ['cuda', {}, 'cuda', false],
    ['cuda', { provider: 'cpu' }, 'cpu', false],
    ['cuda', { provider: 'cuda', fallback: 'cpu' }, 'cuda', false],
    ['cuda', { provider: 'tensorrt', fallback: 'cuda' }, 'cuda', true],
    ['cuda without a device', {}, 'cpu', false],
    ['cuda hidden', {}, 'cpu', false],
    ['cuda without its libraries', {}, 'cpu', false],
    ['device only', {}, 'cpu', false],
    ['tensorrt', {}, 'cuda', false],
    ['tensorrt', { provider: 'tensorrt' }, 'tensorrt', false],
    ['vulkan', {}, 'cpu', false],
    ['vulkan', { provider: 'webgpu' }, 'webgpu', false],
    ['vulkan', { provider: 'cuda', fallback: 'webgpu' }, 'webgpu', true],
    ['software found', {}, 'cpu', false],
    ['software found', { provider: 'webgpu', fallback: 'cpu' }, 'cpu', true],
    ['software named', {}, 'cpu', false],
    ['software named', { provider: 'webgpu' }, 'webgpu', false],
    ['mac', {}, 'cpu', false],
    ['mac', { provider: 'webgpu' }, 'webgpu', false],
  ])('on the machine "%s" with the wish %o takes %s', (machine, wish, provider, fellBack) => {
    expect(selectProvider(machines[machine], wish)).toMatchObject({ provider, fellBack })
  })

  it.each<[Machine, ProviderWish, readonly string[], RegExp]>([
    [
      'plain',
      { provider: 'cuda' },
      ['libonnxruntime_providers_cuda.so', 'NVIDIA device'],
      /ONNXRUNTIME_NODE_INSTALL=cuda12/,
    ],
    [
      'plain',
      { provider: 'tensorrt' },
      ['libonnxruntime_providers_tensorrt.so', 'NVIDIA device'],
      /install\.js/,
    ],
    ['plain', { provider: 'webgpu' }, ['libvulkan.so.1'], /Install libvulkan1/],
    ['plain', { provider: 'wasm' }, ['wasm'], /computes in browsers/],
    [
      'plain',
      { provider: 'cuda', fallback: 'webgpu' },
      ['libonnxruntime_providers_cuda.so', 'NVIDIA device', 'libvulkan.so.1'],
      /"cuda" is not available here.*"webgpu" is not available here/,
    ],
    ['plain', { provider: 'webgpu', fallback: 'webgpu' }, ['libvulkan.so.1'], /libvulkan/],
    ['cuda without a device', { provider: 'cuda' }, ['NVIDIA device'], /--gpus all/],
    ['cuda hidden', { provider: 'cuda' }, ['visible NVIDIA device'], /CUDA_VISIBLE_DEVICES/],
    [
      'cuda without its libraries',
      { provider: 'cuda' },
      ['libcublas.so.12', 'libcudnn.so.9'],
      /does not find libcublas\.so\.12, libcudnn\.so\.9\..*LD_LIBRARY_PATH/,
    ],
    ['vulkan without its loader', { provider: 'webgpu' }, ['libvulkan.so.1'], /libvulkan1/],
    ['vulkan without a driver', { provider: 'webgpu' }, ['Vulkan driver'], /Vulkan has no driver/],
    ['vulkan without a device', { provider: 'webgpu' }, ['Vulkan driver'], /nvidia_icd\.json.*no device/],
    [
      'software found',
      { provider: 'webgpu' },
      ['Vulkan driver'],
      /software drivers only \(vk_swiftshader_icd\.json\)/,
    ],
    ['mac', { provider: 'cuda' }, ['cuda'], /not built with it for darwin on arm64/],
    ['no binding', {}, ['onnxruntime-node'], /does not load on linux on riscv64.*glibc/],
    ['no binding', { provider: 'cuda' }, ['onnxruntime-node'], /riscv64/],
  ])('on the machine "%s" refuses the wish %o and says what is missing', (machine, wish, missing, text) => {
    const error = thrownBy(() => selectProvider(machines[machine], wish))
    if (!isIsoplexError(error)) throw error
    expect(error).toMatchObject({ code: 'PROVIDER_UNAVAILABLE', details: { missing } })
    expect(error.message).toMatch(text)
  })

  it('says how to allow another provider where none is allowed', () => {
    expect(() => selectProvider(plain, { provider: 'cuda' })).toThrow(/"fallback" may name another/)
    expect(() => selectProvider(plain, { provider: 'cuda', fallback: 'webgpu' })).not.toThrow(
      /may name another/,
    )
  })

  it('gives the reason for cpu where nothing was wished for', () => {
    expect(selectProvider(machines['cuda hidden'])).toMatchObject({
      reason: 'CUDA is not to be had. CUDA_VISIBLE_DEVICES hides every device.',
      missing: ['visible NVIDIA device'],
    })
  })

  it('names the devices where it takes cuda', () => {
    expect(selectProvider(machines.cuda).reason).toBe('NVIDIA L4, driver 550.54.15.')
  })

  it('says of a software adapter that it is one', () => {
    expect(selectProvider(machines['software named'], { provider: 'webgpu' }).reason).toContain('(software)')
  })

  it.each([
    [{ provider: 'gpu' }, '"provider" must be one of auto, cpu, cuda, tensorrt, webgpu, wasm; got "gpu".'],
    [
      { provider: 'toString' },
      '"provider" must be one of auto, cpu, cuda, tensorrt, webgpu, wasm; got "toString".',
    ],
    [
      { provider: 'cpu', fallback: 'auto' },
      '"fallback" must be one of cpu, cuda, tensorrt, webgpu, wasm; got "auto".',
    ],
    [{ provider: null }, '"provider" must be one of auto, cpu, cuda, tensorrt, webgpu, wasm; got null.'],
  ])('refuses the wish %o', (wish, message) => {
    expect(() => selectProvider(plain, wish as ProviderWish)).toThrow(new TypeError(message))
  })
})

describe('explainProviders', () => {
  it('speaks of every provider, on every machine', () => {
    for (const facts of Object.values(machines)) {
      expect(explainProviders(facts).map(({ provider }) => provider)).toEqual(providers)
    }
  })

  it('names what is missing exactly where a provider is not available', () => {
    for (const facts of Object.values(machines)) {
      for (const { available, missing, reason, advice } of explainProviders(facts)) {
        expect(missing.length === 0).toBe(available)
        expect(reason).toMatch(/\.$/)
        if (available) expect(advice).toBeNull()
      }
    }
  })

  it('agrees with what selectProvider takes', () => {
    for (const facts of Object.values(machines)) {
      for (const { provider, available } of explainProviders(facts)) {
        const select = (): unknown => selectProvider(facts, { provider })
        if (available) expect(select()).toMatchObject({ provider, fellBack: false, missing: [] })
        else expect(select).toThrow()
      }
    }
  })
})

function thrownBy(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}
