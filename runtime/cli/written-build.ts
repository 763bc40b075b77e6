import { join } from 'node:path'
import { createBuilder } from '../build/build.ts'
import type { Manifest } from '../build/manifest.ts'
import { writeOutput } from '../build/output.ts'
import { writeRoutesTypes } from '../build/routes-types.ts'
import { makeStateDirectory } from '../config/state-directory.ts'
import { pageDirectoryOf } from '../entry/page-source.ts'
import { visibleEnvironment } from '../replica/environment.ts'
import { browserFolder } from '../server/page/static-page.ts'
import { writePage } from './page-output.ts'
import type { Project } from './project.ts'

/** How a build is written. */
export interface WrittenBuildOptions {
  readonly outputDirectory: string
  /** Whether what pages load is there in compressed forms too. */
  readonly compress: boolean
  /** Whether progress is to be seen. */
  readonly visible: boolean
}

/**
 * Builds a project into a folder that `isoplex serve --build` serves: bundles, manifest, and what pages load.
 *
 * @throws {IsoplexError} `BUILD_FAILED`, `CONFIG_INVALID`
 */
export async function writeBuild(
  { config, ...folders }: Project,
  { outputDirectory, compress, visible }: WrittenBuildOptions,
): Promise<Manifest> {
  await makeStateDirectory(folders.stateDirectory)
  const environment = visibleEnvironment(process.env, config.environment)
  await using builder = createBuilder({ ...folders, environment })
  const manifest = await builder.build()
  const { bundlesDirectory } = builder
  await writeOutput({ manifest, bundlesDirectory, outputDirectory })
  await writeRoutesTypes(manifest, folders)
  await writePage({
    functions: manifest.functions,
    bundlesDirectory,
    directory: join(outputDirectory, browserFolder),
    pageDirectory: pageDirectoryOf(folders.stateDirectory),
    environment,
    compress,
    visible,
  })
  return manifest
}
