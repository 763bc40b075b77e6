/**
 * The process that builds isoplex's own files for pages, or compresses files: one order, and then it ends, since
 * bundling leaks memory and compressing takes all of a core.
 */
import { stat } from 'node:fs/promises'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import { findRuntimeFiles, type RuntimeFiles } from '../../adapters/onnx-web/runtime-files.ts'
import { assetEntries, buildAssets } from '../build/page/asset-build.ts'
import type { AssetOrder, AssetReport } from '../build/page/asset-message.ts'
import { type CompressionTask, compressFile, isCompressed } from '../build/page/compression.ts'
import { isIsoplexError } from '../error/error.ts'
import { toWire } from '../error/wire.ts'
import { withFileLock } from '../model/file-lock.ts'
import { toStorageError } from '../model/storage-error.ts'
import { exitWithParent } from './parent.ts'

const lowestPriority = 19
const [parent] = process.argv.slice(2)
if (!parent || !process.send) throw new Error('The process for pages is started by isoplex only.')
exitWithParent(Number(parent))
// The bundler names what it reads as seen from here.
process.chdir(fileURLToPath(new URL('../..', import.meta.url)))
process.on('message', follow)
report({ kind: 'ready' })

async function follow(order: AssetOrder): Promise<void> {
  try {
    report(await outcomeOf(order))
  } catch (thrown) {
    const error = toStorageError(thrown)
    // What is not ours has its text hidden from whoever asked, who may be anybody.
    if (!isIsoplexError(error)) process.stderr.write(`${Bun.inspect(error)}\n`)
    report({ kind: 'failed', error: toWire(error) })
  }
}

async function outcomeOf(order: AssetOrder): Promise<AssetReport> {
  if (order.kind === 'build') {
    const copies = order.set === 'page' ? runtimePaths() : {}
    return {
      kind: 'built',
      assets: await buildAssets({ ...order, entries: assetEntries[order.set], copies }),
    }
  }
  const { tasks, turnsFile } = order
  if (turnsFile === null) await compressAll(tasks)
  else {
    // Threads take over the priority of the one that makes them; those that compress are made later.
    setPriority(lowestPriority)
    await withFileLock(turnsFile, () => compressAll(tasks))
  }
  return { kind: 'compressed' }
}

function runtimePaths(): Readonly<Record<keyof RuntimeFiles, string>> {
  const { webgpuModule, webgpuWasm, wasmModule, wasmWasm } = findRuntimeFiles()
  return {
    webgpuModule: fileURLToPath(webgpuModule),
    webgpuWasm: fileURLToPath(webgpuWasm),
    wasmModule: fileURLToPath(wasmModule),
    wasmWasm: fileURLToPath(wasmWasm),
  }
}

/** Compresses the small files first, and one after the other: each of the large ones keeps a core busy. */
async function compressAll(tasks: readonly CompressionTask[]): Promise<void> {
  const sized = await Promise.all(
    tasks.map(async (task) => ({ task, bytes: (await stat(task.source)).size })),
  )
  const totalBytes = sized.reduce((sum, { bytes }) => sum + bytes, 0)
  let doneBytes = 0
  for (const { task, bytes } of sized.toSorted((left, right) => left.bytes - right.bytes)) {
    const advance = (by: number): void => {
      doneBytes += by
      report({ kind: 'progress', doneBytes, totalBytes })
    }
    if (await isCompressed(task)) advance(bytes)
    else await compressFile(task, advance)
  }
}

function report(message: AssetReport): void {
  process.send?.(message)
}
