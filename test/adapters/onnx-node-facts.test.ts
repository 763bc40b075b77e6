import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type FactSources,
  gatherMachineFacts,
  readMachineFacts,
} from '../../adapters/onnx-node/machine-facts.ts'
import { readSharedLibraryNeeds } from '../../adapters/onnx-node/shared-library.ts'
import { selectProvider } from '../../runtime/engine/provider.ts'
import { type LibraryHeader, sharedLibrary } from '../support/shared-library.ts'

let root = ''

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'isoplex-facts-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

/** Facts of a machine whose files lie under `root`. */
function factsOf(sources: Partial<FactSources> = {}): ReturnType<typeof gatherMachineFacts> {
  return gatherMachineFacts({
    platform: 'linux',
    architecture: 'x64',
    backends: ['cpu', 'webgpu', 'cuda', 'tensorrt'].map((name) => ({ name, bundled: name === 'cpu' })),
    environment: {},
    root,
    bindingFolder: join(root, 'binding'),
    ...sources,
  })
}

function put(path: string, content: string | Uint8Array = ''): void {
  const whole = join(root, path)
  mkdirSync(dirname(whole), { recursive: true })
  writeFileSync(whole, content)
}

function putProvider(header: LibraryHeader): void {
  put('binding/libonnxruntime_providers_cuda.so', sharedLibrary(header))
  put('binding/libonnxruntime_providers_shared.so', sharedLibrary({}))
}

describe('readMachineFacts', () => {
  it('says of this machine what its runtime can compute on, once', async () => {
    const facts = await readMachineFacts()
    expect(facts).toMatchObject({ platform: process.platform, architecture: process.arch })
    expect(facts.backends).toContainEqual({ name: 'cpu', bundled: true })
    expect(selectProvider(facts, { provider: 'cpu' }).provider).toBe('cpu')
    expect(await readMachineFacts()).toBe(facts)
  })
})

describe('libraries', () => {
  it('are missing as a whole where the provider’s own are missing or damaged', () => {
    const own = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'] as const
    expect(factsOf().libraries.cuda).toEqual({ found: [], missing: own })
    put(`binding/${own[0]}`, sharedLibrary({}))
    expect(factsOf().libraries.cuda).toEqual({ found: [own[0]], missing: [own[1]] })
    put(`binding/${own[1]}`, sharedLibrary({ needed: ['libcudart.so.12'] }).subarray(0, 100))
    expect(factsOf().libraries.cuda).toEqual({ found: [own[0]], missing: [own[1]] })
  })

  it('are those that the provider asks for, and cuDNN, which it loads later', () => {
    putProvider({ needed: ['libcudart.so.12', 'libc.so.6'] })
    put('usr/lib/libc.so.6')
    expect(factsOf().libraries.cuda).toEqual({
      found: ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so', 'libc.so.6'],
      missing: ['libcudart.so.12', 'libcudnn.so.9'],
    })
  })

  it('are found where the loader would look', () => {
    putProvider({
      needed: ['liba.so', 'libb.so', 'libc.so', 'libd.so'],
      runpath: `$ORIGIN:${join(root, 'run')}`,
    })
    put('binding/liba.so')
    put('run/libb.so')
    put('named/libc.so')
    put('etc/ld.so.cache', 'glibc-ld.so.cache1.1\0/opt/cuda/lib/libd.so\0/opt/cuda/lib/libcudnn.so.9\0')
    const environment = { LD_LIBRARY_PATH: `:${join(root, 'empty')}:${join(root, 'named')}` }
    expect(factsOf({ environment }).libraries.cuda.missing).toEqual([])
    expect(factsOf().libraries.cuda.missing).toEqual(['libc.so'])
  })

  it('are not found by a part of their name', () => {
    putProvider({ needed: ['libcuda.so.1'] })
    put('etc/ld.so.cache', '\0/opt/lib/libcuda.so.12\0/opt/lib/xlibcuda.so.1\0libcuda.so.1\0')
    expect(factsOf().libraries.cuda.missing).toContain('libcuda.so.1')
  })

  it('let cuda be taken once they and a device are there', () => {
    putProvider({ needed: ['libcudart.so.13'] })
    put('usr/lib/libcudart.so.13')
    put('usr/lib/x86_64-linux-gnu/libcudnn.so.9')
    expect(selectProvider(factsOf()).provider).toBe('cpu')
    put('dev/nvidia0')
    expect(selectProvider(factsOf()).provider).toBe('cuda')
    expect(selectProvider(factsOf({ environment: { CUDA_VISIBLE_DEVICES: '' } })).provider).toBe('cpu')
  })

  it('are not looked for on other platforms', () => {
    putProvider({})
    put('dev/nvidia0')
    put('usr/lib/libvulkan.so.1')
    expect(factsOf({ platform: 'darwin' })).toMatchObject({
      libraries: { cuda: { found: [], missing: [] } },
      nvidia: { devices: [] },
      vulkan: { loader: false, drivers: [] },
    })
  })
})

describe('readSharedLibraryNeeds', () => {
  it('reads what a real library asks for', () => {
    const binding = createRequire(import.meta.url).resolve('onnxruntime-node/package.json')
    const folder = join(dirname(binding), 'bin/napi-v6/linux/x64')
    const needs = readSharedLibraryNeeds(join(folder, 'onnxruntime_binding.node'))
    expect(needs?.libraries).toContain('libonnxruntime.so.1')
    expect(needs?.libraries).toContain('libc.so.6')
    expect(readSharedLibraryNeeds(join(folder, 'libonnxruntime.so.1'))?.searchPath).toEqual(['$ORIGIN'])
  })

  it('reads names and folders in their order', () => {
    put('some.so', sharedLibrary({ needed: ['b.so', 'a.so'], rpath: '/one', runpath: '/two:/three' }))
    expect(readSharedLibraryNeeds(join(root, 'some.so'))).toEqual({
      libraries: ['b.so', 'a.so'],
      searchPath: ['/one', '/two', '/three'],
    })
  })

  it('knows nothing of a file that is not there, no file, or none of its kind', () => {
    put('text.so', 'not a library')
    put('empty.so')
    for (const name of ['none.so', '', 'text.so', 'empty.so']) {
      expect(readSharedLibraryNeeds(join(root, name))).toBeNull()
    }
  })

  it('survives a library that is damaged anywhere', () => {
    const sound = sharedLibrary({ needed: ['a.so', 'b.so'], runpath: '/one' })
    const damage = fc.record({
      length: fc.integer({ min: 0, max: sound.length }),
      changes: fc.array(
        fc.tuple(fc.integer({ min: 5, max: sound.length - 1 }), fc.integer({ min: 0, max: 255 })),
        { maxLength: 4 },
      ),
    })
    fc.assert(
      fc.property(damage, ({ length, changes }) => {
        const bytes = sound.slice()
        for (const [position, byte] of changes) bytes[position] = byte
        put('damaged.so', bytes.subarray(0, length))
        const needs = readSharedLibraryNeeds(join(root, 'damaged.so'))
        expect(needs === null || Array.isArray(needs.libraries)).toBe(true)
      }),
    )
  })
})

describe('NVIDIA devices', () => {
  it('are named by their driver', () => {
    put('dev/nvidia0')
    put('dev/nvidia1')
    put('dev/nvidiactl')
    put('dev/nvidia-uvm')
    put('proc/driver/nvidia/gpus/0000:3b:00.0/information', 'Model: \t\t NVIDIA L4\nIRQ:   \t\t 8\n')
    put(
      'proc/driver/nvidia/version',
      'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19\nGCC version:  gcc 12.2.0\n',
    )
    expect(factsOf().nvidia).toEqual({
      devices: ['NVIDIA L4', '/dev/nvidia1'],
      driver: '535.104.05',
      hidden: false,
    })
  })

  it('are named by the open driver too', () => {
    put(
      'proc/driver/nvidia/version',
      'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build\nGCC version: 13\n',
    )
    expect(factsOf().nvidia.driver).toBe('570.86.15')
  })

  it('are seen through Windows', () => {
    put('dev/dxg')
    expect(factsOf().nvidia.devices).toEqual([])
    put('usr/lib/wsl/lib/libcuda.so.1')
    expect(factsOf().nvidia.devices).toEqual(['/dev/dxg'])
  })

  it.each([
    [undefined, false],
    ['', true],
    [' ', true],
    ['-1', true],
    ['-1,0', true],
    ['0', false],
    ['0,-1', false],
    ['GPU-8932f937-d72c-4106-c12f-20bd9faed9f6', false],
  ])('with CUDA_VISIBLE_DEVICES %o are hidden: %o', (visible, hidden) => {
    expect(factsOf({ environment: { CUDA_VISIBLE_DEVICES: visible } }).nvidia.hidden).toBe(hidden)
  })
})

describe('Vulkan', () => {
  const manifest = (library: string): string =>
    JSON.stringify({ file_format_version: '1.0.0', ICD: { library_path: library, api_version: '1.3' } })

  it('has a loader where the system has its library', () => {
    expect(factsOf().vulkan.loader).toBe(false)
    put('usr/lib/libvulkan.so.1')
    expect(factsOf().vulkan.loader).toBe(true)
  })

  it('has the drivers of its folders', () => {
    put('etc/vulkan/icd.d/nvidia_icd.json', manifest('libGLX_nvidia.so.0'))
    put('usr/share/vulkan/icd.d/lvp_icd.x86_64.json', manifest('/usr/lib/libvulkan_lvp.so'))
    put('home/ada/.local/share/vulkan/icd.d/mine.json', manifest('libsomething.so'))
    put('usr/share/vulkan/icd.d/notes.txt', manifest('libnothing.so'))
    expect(factsOf({ environment: { HOME: '/home/ada' } }).vulkan.drivers).toEqual([
      { name: 'nvidia_icd.json', software: false, named: false },
      { name: 'mine.json', software: false, named: false },
      { name: 'lvp_icd.x86_64.json', software: true, named: false },
    ])
  })

  it.each(['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'])('has only the drivers that %s names', (variable) => {
    put('etc/vulkan/icd.d/nvidia_icd.json', manifest('libGLX_nvidia.so.0'))
    put('opt/renamed.json', manifest('./libvk_swiftshader.so'))
    put('more/other.json', manifest('libother.so'))
    expect(
      factsOf({ environment: { [variable]: '/opt/renamed.json:/more:/none.json' } }).vulkan.drivers,
    ).toEqual([
      { name: 'renamed.json', software: true, named: true },
      { name: 'other.json', software: false, named: true },
    ])
  })

  it('has the drivers that VK_ADD_DRIVER_FILES names beside the others', () => {
    put('etc/vulkan/icd.d/nvidia_icd.json', manifest('libGLX_nvidia.so.0'))
    put('opt/added.json', manifest('libadded.so'))
    const { drivers } = factsOf({ environment: { VK_ADD_DRIVER_FILES: '/opt/added.json' } }).vulkan
    expect(drivers.map(({ name }) => name)).toEqual(['added.json', 'nvidia_icd.json'])
  })

  it.each(['', 'null', '{"ICD":7}', '{"ICD":{"library_path":7}}', '{'])(
    'passes over a manifest that says %o',
    (text) => {
      put('etc/vulkan/icd.d/broken.json', text)
      expect(factsOf().vulkan.drivers).toEqual([])
    },
  )

  it('knows the nodes of graphics hardware', () => {
    put('dev/dri/card0')
    put('dev/dri/renderD128')
    expect(factsOf().vulkan.renderNodes).toEqual(['renderD128'])
  })
})
