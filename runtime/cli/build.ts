import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { createBuilder } from '../build/build.ts'
import { writeOutput } from '../build/output.ts'
import { writeRoutesTypes } from '../build/routes-types.ts'
import { makeStateDirectory } from '../config/state-directory.ts'
import { pageDirectoryOf } from '../entry/page-source.ts'
import { visibleEnvironment } from '../replica/environment.ts'
import { browserFolder } from '../server/page/static-page.ts'
import { createOutput } from './output.ts'
import { writePage } from './page-output.ts'
import { addConfigFlags, openProject } from './project.ts'

interface BuildFlags {
  readonly out: string
  readonly compress: boolean
  readonly json?: boolean
}

/** Adds `isoplex build`: it compiles the functions into a folder that `isoplex serve --build` serves. */
export function addBuildCommand(program: Command): void {
  const command = program
    .command('build')
    .description('Compile the functions into a folder for `isoplex serve --build`.')
    .option('--out <folder>', 'the folder to write', 'dist')
    .option('--no-compress', 'leave out the compressed forms of what pages load')
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
  const { bundlesDirectory } = builder
  await writeOutput({ manifest, bundlesDirectory, outputDirectory })
  await writeRoutesTypes(manifest, folders)
  const output = createOutput(flags.json ?? false)
  const browser = manifest.functions.filter((fn) => fn.browser).map(({ name }) => name)
  await writePage({
    functions: manifest.functions,
    bundlesDirectory,
    directory: join(outputDirectory, browserFolder),
    pageDirectory: pageDirectoryOf(folders.stateDirectory),
    environment,
    compress: flags.compress,
    visible: !flags.json && process.stderr.isTTY,
  })
  const functions = manifest.functions.map(({ name, bundle }) => ({ name, bundle }))
  const count = `${functions.length} ${functions.length === 1 ? 'function' : 'functions'}`
  const forPages = browser.length === 0 ? '' : `, ${browser.length} of them for browsers too`
  output.result(
    { directory: outputDirectory, functions, browser },
    `${count} compiled into ${outputDirectory}${forPages}`,
  )
}
