import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { VulkanDriver } from '../../runtime/engine/machine-facts.ts'

type Environment = Readonly<Record<string, string | undefined>>

const softwareDriver = /swiftshader|lavapipe|llvmpipe|lvp|mock/i

/**
 * The drivers that the Vulkan loader would try: those that the environment names, which stand alone
 * (`VK_DRIVER_FILES`, in older loaders `VK_ICD_FILENAMES`) or come first (`VK_ADD_DRIVER_FILES`), else those
 * in its folders. A manifest that cannot be read counts for nothing, as it does for the loader.
 *
 * @param root the root of the file system
 */
export function findVulkanDrivers(root: string, environment: Environment): readonly VulkanDriver[] {
  const only = environment.VK_DRIVER_FILES || environment.VK_ICD_FILENAMES
  if (only) return readDrivers(manifestsOf(root, only), true)
  const added = readDrivers(manifestsOf(root, environment.VK_ADD_DRIVER_FILES ?? ''), true)
  const folders = driverFolders(root, environment)
  return [...added, ...readDrivers(folders.flatMap(manifestsIn), false)]
}

function driverFolders(root: string, environment: Environment): readonly string[] {
  const home = environment.HOME ?? '/root'
  const bases = [
    environment.XDG_CONFIG_HOME || `${home}/.config`,
    ...(environment.XDG_CONFIG_DIRS || '/etc/xdg').split(':'),
    '/etc',
    environment.XDG_DATA_HOME || `${home}/.local/share`,
    ...(environment.XDG_DATA_DIRS || '/usr/local/share:/usr/share').split(':'),
  ]
  return bases.filter((base) => base !== '').map((base) => join(root, base, 'vulkan/icd.d'))
}

function manifestsOf(root: string, list: string): readonly string[] {
  const paths = list.split(':').filter((path) => path !== '')
  return paths.flatMap((path) =>
    path.endsWith('.json') ? [join(root, path)] : manifestsIn(join(root, path)),
  )
}

function manifestsIn(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
    return names.sort().map((name) => join(folder, name))
  } catch {
    return []
  }
}

function readDrivers(manifests: readonly string[], named: boolean): readonly VulkanDriver[] {
  return manifests.flatMap((path) => {
    const library = readLibraryPath(path)
    if (library === null) return []
    const name = basename(path)
    return [{ name, software: softwareDriver.test(name) || softwareDriver.test(basename(library)), named }]
  })
}

function readLibraryPath(manifest: string): string | null {
  try {
    const parsed: { readonly ICD?: { readonly library_path?: unknown } } | null = JSON.parse(
      readFileSync(manifest, 'utf8'),
    )
    const path = parsed?.ICD?.library_path
    return typeof path === 'string' ? path : null
  } catch {
    return null
  }
}
