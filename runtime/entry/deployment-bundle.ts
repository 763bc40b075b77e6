/** The build of a plugin that a deployment action puts on a cluster. */

import { createBuilder } from '../build/build.ts'
import { writeOutput } from '../build/output.ts'
import type { DeployableBuild } from '../define/deployment-facts.ts'
import { type BuiltProject, buildForDeployment } from './self-contained-build.ts'

/** What is built, and how. */
export interface DeploymentBundleOptions extends BuiltProject {
  /** All of the environment that functions see while they are imported. */
  readonly environment: Readonly<Record<string, string>>
}

/**
 * Builds a plugin to stand alone, into a folder of its own for each version. It is what `isoplex build --self-contained`
 * makes, less what pages load.
 *
 * @throws {IsoplexError} `BUILD_FAILED` where a function is broken, or a package that is needed is not installed.
 */
export async function prepareDeployment({
  environment,
  ...project
}: DeploymentBundleOptions): Promise<DeployableBuild> {
  const { directory, version } = await buildForDeployment(project, async (outputDirectory) => {
    await using builder = createBuilder({ ...project, environment })
    const manifest = await builder.build()
    await writeOutput({ manifest, bundlesDirectory: builder.bundlesDirectory, outputDirectory })
  })
  return { bundle: directory, version }
}
