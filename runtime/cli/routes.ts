import type { Command } from 'commander'
import type { Manifest } from '../build/manifest.ts'
import { writeRoutesTypes } from '../build/routes-types.ts'
import { makeStateDirectory } from '../config/state-directory.ts'
import { openFunctionSource } from '../entry/function-source.ts'
import { deployedManifest, planDeployments } from '../replica/deployment-plan.ts'
import { visibleEnvironment } from '../replica/environment.ts'
import { type PluginIdentity, readPluginIdentity } from '../route/prefix.ts'
import { routeList } from '../server/document.ts'
import { createOutput, formatTable } from './output.ts'
import { addConfigFlags, openProject } from './project.ts'
import { formatMistake, sourceOf } from './server-report.ts'

interface RoutesFlags {
  readonly json?: boolean
}

/** Adds `isoplex routes`: what a server of this folder would answer. It exits with 1 where a file is broken. */
export function addRoutesCommand(program: Command): void {
  const command = program
    .command('routes')
    .description('List the routes of the functions in this folder, and write their types for clients.')
    .option('--json', 'print JSON')
    .action(routes)
  addConfigFlags(command, [
    'functionsDirectory',
    'stateDirectory',
    'routePrefix',
    'environment',
    'deployments',
  ])
}

async function routes(flags: RoutesFlags): Promise<void> {
  const { config, ...folders } = await openProject({ ...flags })
  const identity = await readPluginIdentity(folders.projectDirectory, {
    environment: process.env,
    routePrefix: config.routePrefix,
  })
  await makeStateDirectory(folders.stateDirectory)
  const environment = visibleEnvironment(process.env, config.environment)
  await using source = await openFunctionSource({ ...folders, mode: 'dev', environment })
  const built = await source.read()
  const plan = planDeployments(built.functions, { configured: config.deployments, entrypoint: config.entrypoint })
  const manifest = deployedManifest(built, plan)
  await writeRoutesTypes(manifest, folders)
  createOutput(flags.json ?? false).result(routeList(manifest, identity), formatRoutes(manifest, identity))
  if (manifest.broken.length > 0) process.exitCode = 1
}

/** The routes as people read them, and below them what is broken. */
export function formatRoutes({ functions, broken }: Manifest, { routePrefix }: PluginIdentity): string {
  if (functions.length + broken.length === 0) return 'No functions.'
  const rows = functions.map((fn) => {
    return [fn.methods.join(','), routePrefix + fn.path, fn.kind, fn.access, sourceOf(fn)]
  })
  const table = rows.length > 0 ? [formatTable([['METHOD', 'PATH', 'KIND', 'ACCESS', 'FILE'], ...rows])] : []
  const mistakes = broken.length > 0 ? [`Broken:\n${broken.map(formatMistake).join('\n')}`] : []
  return [...table, ...mistakes].join('\n\n')
}
