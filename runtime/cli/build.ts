import { resolve } from 'node:path'
import type { Command } from 'commander'
import { standAlone, writeArchive } from '../entry/self-contained-build.ts'
import { createOutput } from './output.ts'
import { addConfigFlags, openProject } from './project.ts'
import { writeBuild } from './written-build.ts'

interface BuildFlags {
  readonly out: string
  readonly compress: boolean
  readonly selfContained?: boolean
  readonly archive?: string
  readonly json?: boolean
}

/** Adds `isoplex build`: it compiles the functions into a folder that `isoplex serve --build` serves. */
export function addBuildCommand(program: Command): void {
  const command = program
    .command('build')
    .description('Compile the functions into a folder for `isoplex serve --build`.')
    .option('--out <folder>', 'the folder to write', 'dist')
    .option('--no-compress', 'leave out the compressed forms of what pages load')
    .option(
      '--self-contained',
      'add isoplex, Bun, packages and models, so that the folder runs on another machine',
    )
    .option('--archive <file>', 'pack the folder, self-contained, into a zip file too')
    .option('--json', 'print JSON')
    .action(build)
  addConfigFlags(command, ['functionsDirectory', 'stateDirectory', 'environment'])
}

async function build(flags: BuildFlags): Promise<void> {
  const project = await openProject({ ...flags })
  const outputDirectory = resolve(flags.out)
  const { compress, json } = flags
  const visible = !json && process.stderr.isTTY
  const manifest = await writeBuild(project, { outputDirectory, compress, visible })
  const output = createOutput(json ?? false)
  const browser = manifest.functions.filter((fn) => fn.browser).map(({ name }) => name)
  const alone = flags.selfContained || flags.archive !== undefined
  const { version = null } = alone ? await standAlone(project, outputDirectory) : {}
  if (flags.archive !== undefined) await writeArchive(outputDirectory, resolve(flags.archive))
  const functions = manifest.functions.map(({ name, bundle }) => ({ name, bundle }))
  const count = `${functions.length} ${functions.length === 1 ? 'function' : 'functions'}`
  const forPages = browser.length === 0 ? '' : `, ${browser.length} of them for browsers too`
  output.result(
    { directory: outputDirectory, functions, browser, version },
    `${count} compiled into ${outputDirectory}${forPages}${version === null ? '' : `, self-contained: ${version}`}`,
  )
}
