/** The build of a plugin that a deployment action puts on a cluster. */

import { join } from 'node:path'
import { createBuilder } from '../build/build.ts'
import { hashText } from '../build/content-hash.ts'
import { writeOutput } from '../build/output.ts'
import { makeStateDirectory } from '../config/state-directory.ts'
import type { DeployableBuild } from '../define/deployment-facts.ts'

/** What is built, and how. */
export interface DeploymentBundleOptions {
  readonly projectDirectory: string
  readonly functionsDirectory: string
  readonly stateDirectory: string
  /** All of the environment that functions see while they are imported. */
  readonly environment: Readonly<Record<string, string>>
}

/**
 * Builds a plugin into a folder of its own for each version, so that the version that serves keeps its files.
 *
 * @throws {IsoplexError} `BUILD_FAILED` where a function is broken.
 */
export async function buildForDeployment({
  stateDirectory,
  ...folders
}: DeploymentBundleOptions): Promise<DeployableBuild> {
  await makeStateDirectory(stateDirectory)
  await using builder = createBuilder({ ...folders, stateDirectory })
  const manifest = await builder.build()
  const { bundlesDirectory } = builder
  const version = hashText(JSON.stringify(manifest.functions))
  const bundle = join(stateDirectory, 'deployments', version)
  await writeOutput({ manifest, bundlesDirectory, outputDirectory: bundle })
  return { bundle, version }
}
