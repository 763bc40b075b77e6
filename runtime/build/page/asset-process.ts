import { fileURLToPath } from 'node:url'
import { IsoplexError } from '../../error/error.ts'
import { fromWire } from '../../error/wire.ts'
import type { AssetOrder, AssetReport } from './asset-message.ts'
import type { AssetSet } from './asset-set.ts'
import type { CompressionTask } from './compression.ts'

/** How far something is. */
export interface CompressionProgress {
  readonly doneBytes: number
  readonly totalBytes: number
}

/** How a process for pages is run. */
export interface AssetProcessOptions {
  /** All of the environment that it gets. */
  readonly environment: Readonly<Record<string, string>>
  /** Ends the process. @default it ends when it is done */
  readonly signal?: AbortSignal
}

const entryPath = fileURLToPath(new URL('../../entry/page-builder.ts', import.meta.url))

/**
 * Builds a set of isoplex's own files for pages in a process of its own, unless its folder holds it already.
 *
 * @throws {IsoplexError} `BUILD_FAILED`, `CANCELLED` where the signal has fired
 */
export async function openAssets(
  order: Omit<Extract<AssetOrder, { kind: 'build' }>, 'kind'>,
  options: AssetProcessOptions,
): Promise<AssetSet> {
  const report = await run({ kind: 'build', ...order }, options, () => undefined)
  if (report.kind !== 'built') throw unfinished('it said something else')
  return report.assets
}

/** What is to be compressed, and with how much regard for others. */
export interface CompressionOptions extends AssetProcessOptions {
  readonly tasks: readonly CompressionTask[]
  /**
   * For work in the background, which takes no time from anybody else: the file by which all processes that do such
   * work take turns. @default somebody waits for it
   */
  readonly turnsFile?: string
  readonly onProgress?: (progress: CompressionProgress) => void
}

/**
 * Compresses files in a process of its own. Those that lie compressed already are left as they are.
 *
 * @throws {IsoplexError} `BUILD_FAILED`, `CANCELLED` where the signal has fired
 */
export async function compressFiles(options: CompressionOptions): Promise<void> {
  const { tasks, turnsFile = null, onProgress = () => undefined } = options
  if (tasks.length > 0) await run({ kind: 'compress', tasks, turnsFile }, options, onProgress)
}

type Outcome = Extract<AssetReport, { kind: 'built' | 'compressed' | 'failed' }>

/** Files are there whole or not at all, so that what somebody ended in the middle is begun once more. */
async function run(
  order: AssetOrder,
  options: AssetProcessOptions,
  onProgress: (progress: CompressionProgress) => void,
): Promise<Outcome> {
  const outcome = (await attempt(order, options, onProgress)) ?? (await attempt(order, options, onProgress))
  if (!outcome) throw unfinished('it ended twice in the middle')
  return outcome
}

/** Runs a process for one order; `null` where it ended without a word. */
async function attempt(
  order: AssetOrder,
  { environment, signal }: AssetProcessOptions,
  onProgress: (progress: CompressionProgress) => void,
): Promise<Outcome | null> {
  const outcome = Promise.withResolvers<Outcome>()
  const child = Bun.spawn(
    [process.execPath, '--no-env-file', '--no-install', entryPath, String(process.pid)],
    {
      env: environment,
      stdio: ['ignore', 2, 2],
      serialization: 'json',
      ipc: (report: AssetReport) => {
        if (report.kind === 'ready') child.send(order)
        else if (report.kind === 'progress') onProgress(report)
        else outcome.resolve(report)
      },
    },
  )
  const kill = (): void => child.kill('SIGKILL')
  signal?.addEventListener('abort', kill, { once: true })
  if (signal?.aborted) kill()
  try {
    const ended = child.exited.then(() => null)
    const report = await Promise.race([outcome.promise, ended])
    if (signal?.aborted) throw new IsoplexError('CANCELLED', 'The files for pages are not wanted any more.')
    if (report?.kind === 'failed') throw fromWire(report.error)
    return report
  } finally {
    signal?.removeEventListener('abort', kill)
    kill()
    await child.exited
  }
}

function unfinished(reason: string): IsoplexError<'BUILD_FAILED'> {
  const message = `The process that makes the files for pages did not finish (${reason}); its output says why.`
  return new IsoplexError('BUILD_FAILED', message, {
    details: { file: 'runtime/entry/page-builder.ts', line: null },
  })
}
