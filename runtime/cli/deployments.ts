import type { Command } from 'commander'
import { listDeployments } from '../control/deployments.ts'
import type { DeploymentReport } from '../replica/deployment-report.ts'
import { createOutput, formatTable } from './output.ts'
import { addConfigFlags, openProject } from './project.ts'

interface DeploymentsFlags {
  readonly json?: boolean
  readonly watch?: boolean
}

/** How often a watched table is drawn. */
const refreshMs = 1_000
/** To the upper left corner, and all behind it empty (ECMA-48: CUP, ED). */
const cleared = '\u001b[H\u001b[J'

/** Adds `isoplex deployments`: as what the running server serves its functions. */
export function addDeploymentsCommand(program: Command): void {
  const command = program
    .command('deployments')
    .description('Show as what the running server serves its functions, with how many replicas.')
    .option('--watch', 'show it again every second, until no server runs any more')
    .option('--json', 'print JSON')
    .action((flags: DeploymentsFlags) => show(flags))
  addConfigFlags(command, ['stateDirectory'])
}

async function show(flags: DeploymentsFlags): Promise<void> {
  const { json = false, watch = false } = flags
  const output = createOutput(json)
  const clear = watch && !json && process.stdout.isTTY === true ? cleared : ''
  const tell = async (): Promise<void> => {
    const { stateDirectory } = await openProject({ ...flags })
    const deployments = await listDeployments({ stateDirectory })
    output.result({ deployments }, clear + formatDeployments(deployments))
  }
  await tell()
  // Who has stopped reading wants no more.
  while (watch && process.stdout.writable) {
    await Bun.sleep(refreshMs)
    await tell()
  }
}

/** The deployments as people read them. */
export function formatDeployments(deployments: readonly DeploymentReport[]): string {
  if (deployments.length === 0) return 'No deployments.'
  const head = [
    'DEPLOYMENT',
    'FUNCTION',
    'STATUS',
    'REPLICAS',
    'GROUP',
    'ONGOING',
    'QUEUED',
    'ROUTE',
    'VERSION',
  ]
  return formatTable([head, ...deployments.map(rowOf)])
}

function rowOf(deployment: DeploymentReport): readonly string[] {
  const { name, status, replicas, group, ongoing, queued, route, version } = deployment
  return [
    name,
    deployment.function,
    status,
    replicasOf(deployment, replicas),
    group === null ? 'shared' : 'own',
    String(ongoing),
    String(queued),
    route,
    versionOf(version),
  ]
}

/** Those that run of those that are to, with the bounds where the load decides. */
function replicasOf(
  { settings }: DeploymentReport,
  { running, target }: DeploymentReport['replicas'],
): string {
  const bounds = settings.replicas
  const within = typeof bounds === 'object' ? ` (${bounds.min} to ${bounds.max})` : ''
  return `${running}/${target}${within}`
}

/** The hash of a bundle, from its file's name. */
function versionOf(bundle: string): string {
  return /-([0-9a-f]{16})\.js$/.exec(bundle)?.[1]?.slice(0, 8) ?? bundle
}
