import { resolve } from 'node:path'
import type { Command } from 'commander'
import { createBuilder } from '../build/build.ts'
import { writeOutput } from '../build/output.ts'
import { makeStateDirectory } from '../config/state-directory.ts'
import { visibleEnvironment } from '../replica/environment.ts'
import { createOutput } from './output.ts'
import { addConfigFlags, openProject } from './project.ts'

interface BuildFlags {
  readonly out: string
  readonly json?: boolean
}

/** Adds `isoplex build`: it compiles the functions into a folder that `isoplex serve --build` serves. */
export function addBuildCommand(program: Command): void {
  const command = program
    .command('build')
    .description('Compile the functions into a folder for `isoplex serve --build`.')
    .option('--out <folder>', 'the folder to write', 'dist')
    .option('--json', 'print JSON')
    .action(build)
  addConfigFlags(command, ['functionsDirectory', 'stateDirectory', 'environment'])
}

async function build(flags: BuildFlags): Promise<void> {
  const { config, ...folders } = await openProject({ ...flags })
  await makeStateDirectory(folders.stateDirectory)
  const environment = visibleEnvironment(process.env, config.environment)
  await using builder = createBuilder({ ...folders, environment })
  const manifest = await builder.build()
  const outputDirectory = resolve(flags.out)
  await writeOutput({ manifest, bundlesDirectory: builder.bundlesDirectory, outputDirectory })
  const functions = manifest.functions.map(({ name, bundle }) => ({ name, bundle }))
  const count = `${functions.length} ${functions.length === 1 ? 'function' : 'functions'}`
  createOutput(flags.json ?? false).result(
    { directory: outputDirectory, functions },
    `${count} compiled into ${outputDirectory}`,
  )
}
