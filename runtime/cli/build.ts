import { resolve } from 'node:path'
import type { Command } from 'commander'
import { createBuilder } from '../build/build.ts'
import { writeOutput } from '../build/output.ts'
import { visibleEnvironment } from '../replica/environment.ts'
import { createOutput } from './output.ts'
import { openProject } from './project.ts'

/** Adds `isoplex build`: it compiles the functions into a folder that `isoplex serve --build` serves. */
export function addBuildCommand(program: Command): void {
  program
    .command('build')
    .description('Compile the functions into a folder for `isoplex serve --build`.')
    .option('--out <folder>', 'the folder to write', 'dist')
    .option('--json', 'print JSON')
    .action(async (flags: { readonly out: string; readonly json?: boolean }) => {
      const { directory: projectDirectory, config, functionsDirectory, stateDirectory } = await openProject()
      const environment = visibleEnvironment(process.env, config.environment)
      await using builder = createBuilder({
        projectDirectory,
        functionsDirectory,
        stateDirectory,
        environment,
      })
      const manifest = await builder.build()
      const outputDirectory = resolve(flags.out)
      await writeOutput({ manifest, bundlesDirectory: builder.bundlesDirectory, outputDirectory })
      createOutput(flags.json ?? false).result(
        {
          directory: outputDirectory,
          functions: manifest.functions.map(({ name, bundle }) => ({ name, bundle })),
        },
        `${manifest.functions.length} functions compiled into ${outputDirectory}`,
      )
    })
}
