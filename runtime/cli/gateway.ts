import type { Command } from 'commander'
import { openFleet } from '../entry/fleet.ts'
import { createProcessLog } from '../entry/process-log.ts'
import { addConfigFlags, openProject } from './project.ts'
import { type ServeFlags, serveGateway } from './serve.ts'

type GatewayFlags = ServeFlags & { readonly ray?: string | boolean }

/** Adds `isoplex gateway`: a server whose replicas are on nodes. */
export function addGatewayCommand(program: Command): void {
  const command = program
    .command('gateway')
    .description(
      'Serve what nodes serve, by replicas that run there: those of a Ray cluster, or nodes by name.',
    )
    .option('--ray [address]', 'follow what `isoplex deploy` put on this Ray cluster (default: rayAddress)')
    .option('--socket <path>', 'listen on a unix socket, for this user only, in place of host and port')
    .option('--json', 'print events as lines of JSON')
    .action((flags: GatewayFlags) => serve(flags))
  addConfigFlags(command)
}

async function serve(flags: GatewayFlags): Promise<void> {
  const { ray } = flags
  const project = await openProject(typeof ray === 'string' ? { ...flags, rayAddress: ray } : flags)
  const log = createProcessLog(project.config.logLevel)
  const fleet = await openFleet({ ...project, cluster: ray !== undefined, log })
  try {
    await serveGateway({ ...project, mode: 'serve', log, fleet }, flags)
  } finally {
    fleet.close()
  }
}
