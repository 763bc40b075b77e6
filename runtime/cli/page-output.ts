import { join } from 'node:path'
import type { FunctionManifest } from '../build/manifest.ts'
import { compressFiles, openAssets } from '../build/page/asset-process.ts'
import { compressionTasks, pruneCompressed } from '../build/page/compression.ts'
import { compressedDirectoryOf } from '../entry/page-source.ts'
import { removeStaticPage, writeStaticPage } from '../server/page/static-page.ts'
import { startProgressBar } from './progress-bar.ts'

/** What is written for pages, and where. */
export interface PageOutputOptions {
  readonly functions: readonly FunctionManifest[]
  /** The folder of the functions' bundles. */
  readonly bundlesDirectory: string
  /** The folder that is written. */
  readonly directory: string
  /** The project's folder for pages, where isoplex's own files and compressed ones are kept from build to build. */
  readonly pageDirectory: string
  /** All of the environment of the processes that build and compress. */
  readonly environment: Readonly<Record<string, string>>
  /** Whether files lie compressed beside themselves. */
  readonly compress: boolean
  /** Whether somebody watches. */
  readonly visible: boolean
}

/**
 * Writes all that pages load to a folder, where some function runs in browsers; else nothing, and what earlier builds
 * wrote there is removed. What was compressed once is not compressed again.
 *
 * @throws {IsoplexError} `BUILD_FAILED`
 */
export async function writePage(options: PageOutputOptions): Promise<void> {
  const { functions, bundlesDirectory, directory, pageDirectory, environment, compress } = options
  const bundles = functions.flatMap(({ browser }) => browser?.bundle ?? [])
  if (bundles.length === 0) return removeStaticPage(directory)
  const assets = await openAssets({ set: 'page', mode: 'production', pageDirectory }, { environment })
  const files = [
    ...bundles.map((name) => ({ name, path: join(bundlesDirectory, name) })),
    ...assets.files.map((name) => ({ name, path: join(assets.directory, name) })),
  ]
  const compressedDirectory = compress ? compressedDirectoryOf(pageDirectory) : null
  if (compressedDirectory !== null) await compressAll(files, compressedDirectory, options)
  await writeStaticPage({ functions, bundlesDirectory, assets, compressedDirectory, directory })
}

async function compressAll(
  files: readonly { readonly name: string; readonly path: string }[],
  compressedDirectory: string,
  { environment, visible }: PageOutputOptions,
): Promise<void> {
  const tasks = await compressionTasks(files, compressedDirectory)
  const bar = startProgressBar('Compressing', { visible })
  try {
    await compressFiles({ tasks, environment, onProgress: (progress) => bar.update(progress) })
    await pruneCompressed(compressedDirectory)
  } finally {
    bar.stop()
  }
}
