import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Why no small disk can be mounted on this machine; `null` where one can. */
export async function absenceOfTmpfs(): Promise<string | null> {
  if (process.platform !== 'linux') return `${process.platform} has no tmpfs`
  if (Bun.which('mount') === null) return 'there is no command mount'
  const folder = await mkdtemp(join(tmpdir(), 'isoplex-disk-'))
  try {
    mountDisk(folder, 65_536)[Symbol.dispose]()
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Mounts a disk of this size over a folder, until it is disposed of; what is open in it then stays until it is closed. */
export function mountDisk(folder: string, bytes: number): Disposable {
  run(['mount', '-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'isoplex-test', folder])
  return { [Symbol.dispose]: () => run(['umount', '--lazy', folder]) }
}

function run(command: readonly string[]): void {
  const { success, stderr } = Bun.spawnSync([...command])
  if (!success) throw new Error(`${command[0]} failed: ${stderr.toString().trim()}`)
}
