import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NvidiaFacts } from '../../runtime/engine/machine-facts.ts'

/**
 * The NVIDIA devices by what the kernel's driver shows in files: no program is started, so it costs nothing
 * and works where `nvidia-smi` is not installed.
 *
 * @param root the root of the file system
 */
export function readNvidiaFacts(
  root: string,
  environment: Readonly<Record<string, string | undefined>>,
): NvidiaFacts {
  const nodes = namesIn(join(root, '/dev')).filter((name) => /^nvidia\d+$/.test(name))
  // Under Windows' Linux the devices stand behind one node, and the driver's library in a folder of its own.
  const underWindows =
    existsSync(join(root, '/dev/dxg')) && existsSync(join(root, '/usr/lib/wsl/lib/libcuda.so.1'))
  const models = readModels(join(root, '/proc/driver/nvidia/gpus'))
  const devices = nodes.map((name, index) => models[index] ?? `/dev/${name}`)
  const visible = environment.CUDA_VISIBLE_DEVICES
  return {
    devices: devices.length === 0 && underWindows ? ['/dev/dxg'] : devices,
    driver:
      /(?:Kernel Module|for \S+)\s+(\d+(?:\.\d+)+)/.exec(
        readText(join(root, '/proc/driver/nvidia/version')),
      )?.[1] ?? null,
    hidden: visible !== undefined && (visible.trim() === '' || visible.trim().startsWith('-1')),
  }
}

function readModels(folder: string): readonly string[] {
  return namesIn(folder).flatMap((bus) => {
    const model = /^Model:\s*(\S.*?)\s*$/m.exec(readText(join(folder, bus, 'information')))?.[1]
    return model === undefined ? [] : [model]
  })
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
