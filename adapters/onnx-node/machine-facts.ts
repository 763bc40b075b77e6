import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { BackendFacts, LibraryFacts, MachineFacts } from '../../runtime/engine/machine-facts.ts'
import { loadBinding } from './binding.ts'
import { createLibrarySearch, findProviderLibraries } from './library-search.ts'
import { readNvidiaFacts } from './nvidia.ts'
import { findVulkanDrivers } from './vulkan-drivers.ts'

/** Where facts are read from. */
export interface FactSources {
  readonly platform: string
  readonly architecture: string
  readonly backends: readonly BackendFacts[]
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The root of the file system. */
  readonly root: string
  /** The folder of onnxruntime-node's binding, where its provider libraries belong. */
  readonly bindingFolder: string
}

let reading: Promise<MachineFacts> | undefined

/**
 * The facts of this machine, read once: a few directory listings and small files, and the binding is loaded.
 * They hold no user's name and no path but device nodes and file names.
 */
export function readMachineFacts(): Promise<MachineFacts> {
  reading ??= readSources().then(gatherMachineFacts)
  return reading
}

/** The facts that the given sources show. Libraries and drivers are looked for on Linux only. */
export function gatherMachineFacts(sources: FactSources): MachineFacts {
  const { platform, architecture, backends, environment, root, bindingFolder } = sources
  const search = createLibrarySearch(root, architecture, environment)
  const linux = platform === 'linux'
  const librariesOf = (provider: 'cuda' | 'tensorrt'): LibraryFacts =>
    linux ? findProviderLibraries(search, provider, bindingFolder) : { found: [], missing: [] }
  return {
    platform,
    architecture,
    backends,
    libraries: { cuda: librariesOf('cuda'), tensorrt: librariesOf('tensorrt') },
    nvidia: linux ? readNvidiaFacts(root, environment) : { devices: [], driver: null, hidden: false },
    vulkan: {
      loader: linux && search.finds('libvulkan.so.1'),
      drivers: linux ? findVulkanDrivers(root, environment) : [],
      renderNodes: linux ? renderNodesIn(join(root, '/dev/dri')) : [],
    },
  }
}

async function readSources(): Promise<FactSources> {
  const { platform, arch } = process
  const packageFile = createRequire(import.meta.url).resolve('onnxruntime-node/package.json')
  const binding = await loadBinding().catch(() => null)
  return {
    platform,
    architecture: arch,
    backends: binding?.listSupportedBackends() ?? [],
    environment: process.env,
    root: '/',
    bindingFolder: join(dirname(packageFile), 'bin/napi-v6', platform, arch),
  }
}

function renderNodesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith('renderD'))
      .sort()
  } catch {
    return []
  }
}
