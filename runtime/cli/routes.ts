import type { Command } from 'commander'
import { openFunctionSource } from '../entry/function-source.ts'
import { visibleEnvironment } from '../replica/environment.ts'
import { readPluginIdentity } from '../route/prefix.ts'
import { routeList } from '../server/document.ts'
import { createOutput, formatTable } from './output.ts'
import { openProject } from './project.ts'

/** Adds `isoplex routes`: what a server of this folder would answer. */
export function addRoutesCommand(program: Command): void {
  program
    .command('routes')
    .description('List the routes of the functions in this folder.')
    .option('--json', 'print JSON')
    .action(async (flags: { readonly json?: boolean }) => {
      const project = await openProject()
      const { routePrefix } = project.config
      const identity = await readPluginIdentity(project.directory, { environment: process.env, routePrefix })
      const environment = visibleEnvironment(process.env, project.config.environment)
      await using source = openFunctionSource({
        ...project,
        projectDirectory: project.directory,
        environment,
      })
      const manifest = await source.read()
      const rows = manifest.functions.map((fn) => [
        fn.methods.join(','),
        identity.routePrefix + fn.path,
        fn.kind === 'inference' ? 'inference' : 'edge',
        fn.access,
        fn.file,
      ])
      const broken = manifest.broken.map(({ file, place, reason }) => [
        'broken',
        file,
        `line ${place.line ?? '?'}`,
        reason,
      ])
      createOutput(flags.json ?? false).result(
        routeList(manifest, identity),
        formatTable([...rows, ...broken]),
      )
      if (manifest.broken.length > 0) process.exitCode = 1
    })
}
