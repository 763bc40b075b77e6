import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { readSelfContained } from '../build/self-contained.ts'
import type {
  DeployedApplication,
  DeployedReplicas,
  DeploymentTarget,
  DeployOrder,
} from '../deploy/target.ts'
import { openRayServeTarget } from '../entry/ray-serve.ts'
import { buildForDeployment } from '../entry/self-contained-build.ts'
import { readPluginIdentity } from '../route/prefix.ts'
import { startDeployBars } from './deploy-bars.ts'
import { listenForInterruption } from './interruption.ts'
import { createOutput, formatTable, type Output } from './output.ts'
import { addConfigFlags, openProject, type Project } from './project.ts'
import { writeBuild } from './written-build.ts'

interface ClusterFlags {
  readonly address: string
  readonly json?: boolean
}

interface DeployFlags extends ClusterFlags, Readonly<Partial<Record<(typeof settings)[number], string>>> {
  readonly replicas: DeployedReplicas
  readonly numCpus: number
  readonly numGpus: number
  readonly memory?: number
  readonly resource: Readonly<Record<string, number>>
  readonly bundle?: string
  readonly clusterState?: string
  readonly rollback?: boolean
  readonly status?: boolean
}

const address = ['--address <url>', 'the dashboard of the Ray cluster', 'http://127.0.0.1:8265'] as const

const settings = [
  'functionsDirectory',
  'stateDirectory',
  'routePrefix',
  'environment',
  'nodeAddress',
  'nodeKeyFile',
] as const

/** Adds `isoplex deploy`: it puts the functions on a Ray cluster, in place of the version that serves there. */
export function addDeployCommand(program: Command): void {
  const command = program
    .command('deploy')
    .description('Put the functions on a Ray cluster; the version before serves until the new one runs.')
    .option(...address)
    .option(
      '--replicas <count>',
      'replicas, or bounds such as 1:4 within which Ray follows the load',
      parseReplicas,
      1,
    )
    .option('--num-cpus <count>', 'cores of a replica', parseAmount, 1)
    .option('--num-gpus <count>', 'GPUs of a replica, fractions too', parseAmount, 0)
    .option('--memory <bytes>', 'memory of a replica', parseAmount)
    .option('--resource <name=amount>', 'a resource of the cluster by its own name', parseResource, {})
    .option(
      '--bundle <place>',
      'the self-contained build as the cluster finds it: a folder, or the URI of an archive',
    )
    .option(
      '--cluster-state <folder>',
      "the state folder on the cluster's machines, with the key of the tokens",
    )
    .option('--rollback', 'give the route back to the version before')
    .option('--status', 'tell what of this project is on the cluster')
    .option('--json', 'print JSON')
    .action(deploy)
  addConfigFlags(command, settings)
}

/** Adds `isoplex undeploy`: it takes the functions off a Ray cluster. */
export function addUndeployCommand(program: Command): void {
  const command = program
    .command('undeploy')
    .description('Take the functions off a Ray cluster, with all of their versions.')
    .option(...address)
    .option('--json', 'print JSON')
    .action(undeploy)
  addConfigFlags(command, ['routePrefix'])
}

async function deploy(flags: DeployFlags): Promise<void> {
  const output = createOutput(flags.json ?? false)
  const project = await openProject(settingsOf(flags))
  const target = openRayServeTarget(flags)
  using interruption = listenForInterruption()
  const { signal } = interruption
  const { name } = await identityOf(project)
  if (flags.status) return tellStatus(await target.list(name, signal), output)
  if (flags.rollback) return tell(await target.rollback(name, signal), output)
  const bars = startDeployBars(process.stderr, { visible: !flags.json })
  try {
    const order = await orderOf(project, flags)
    const deployed = await target.deploy(order, bars.update, signal)
    bars.stop()
    tell(deployed, output)
  } finally {
    bars.stop()
  }
}

/** Replicas are the cluster's here, whatever the configuration of a server calls by the same name. */
function settingsOf(
  flags: Readonly<Partial<Record<(typeof settings)[number], unknown>>>,
): Record<string, unknown> {
  return Object.fromEntries(settings.map((key) => [key, flags[key]]))
}

async function undeploy(flags: ClusterFlags): Promise<void> {
  const target: DeploymentTarget = openRayServeTarget(flags)
  const { name } = await identityOf(await openProject({ ...flags }))
  await target.remove(name)
  createOutput(flags.json ?? false).result({ name }, `"${name}" is not on the cluster any more`)
}

async function orderOf(project: Project, flags: DeployFlags): Promise<DeployOrder> {
  const { identity, name } = await identityOf(project)
  const { bundle, version } = await placeOf(project, flags)
  const state = flags.clusterState ?? (flags.bundle === undefined ? project.stateDirectory : undefined)
  return {
    identity,
    name,
    version,
    routePrefix: identity.routePrefix,
    bundle,
    replicas: flags.replicas,
    resources: {
      cpus: flags.numCpus,
      gpus: flags.numGpus,
      ...(flags.memory === undefined ? {} : { memoryBytes: flags.memory }),
      custom: flags.resource,
    },
    environment: {
      ...(state === undefined ? {} : { ISOPLEX_STATE_DIRECTORY: state }),
      ...nodeVariablesOf(project),
    },
  }
}

/** Makes the replicas nodes for gateways, where the configuration says so. */
function nodeVariablesOf({ projectDirectory, config }: Project): Readonly<Record<string, string>> {
  const { nodeAddress, nodeKeyFile } = config
  return {
    ...(nodeAddress === null ? {} : { ISOPLEX_NODE_ADDRESS: nodeAddress }),
    ...(nodeKeyFile === null ? {} : { ISOPLEX_NODE_KEY_FILE: resolve(projectDirectory, nodeKeyFile) }),
  }
}

/**
 * The project as the cluster is to know it. Where the route stands for one version of a plugin, versions are applications
 * of their own, side by side; elsewhere each takes the place of the one before.
 */
async function identityOf({ projectDirectory, config }: Project): Promise<{
  readonly identity: Awaited<ReturnType<typeof readPluginIdentity>>
  readonly name: string
}> {
  const { routePrefix } = config
  const identity = await readPluginIdentity(projectDirectory, { environment: process.env, routePrefix })
  const { appName } = identity
  const standsForVersion = routePrefix === null && identity.routePrefix !== ''
  return { identity, name: standsForVersion ? appName : appName.replace(/@[^@/]*$/, '') }
}

async function placeOf(
  project: Project,
  { bundle, json }: DeployFlags,
): Promise<{ readonly bundle: string; readonly version: string }> {
  if (bundle === undefined) {
    const visible = !json && process.stderr.isTTY
    const { directory, version } = await buildForDeployment(project, (outputDirectory) =>
      writeBuild(project, { outputDirectory, compress: true, visible }),
    )
    return { bundle: directory, version }
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(bundle)) return { bundle, version: bundle }
  const folder = resolve(bundle)
  // What lies on the cluster's machines only cannot be looked at from here.
  return { bundle: folder, version: (await readSelfContained(folder)) ?? folder }
}

function tell(deployed: DeployedApplication, output: Output): void {
  const { name, routePrefix } = deployed
  output.result(deployed, `${name} answers at ${routePrefix ?? 'no route'}`)
}

function tellStatus(applications: readonly DeployedApplication[], output: Output): void {
  const rows = applications.map(({ name, state, routePrefix }) => [
    name,
    state,
    routePrefix ?? 'kept for --rollback',
  ])
  const text =
    rows.length === 0
      ? 'Nothing of this project is on the cluster'
      : formatTable([['APPLICATION', 'STATE', 'ROUTE'], ...rows])
  output.result(applications, text)
}

/** Reads a number of replicas, or the bounds of one. @throws {InvalidArgumentError} where it is neither. */
export function parseReplicas(text: string): DeployedReplicas {
  const [, least, most] = /^(\d{1,4})(?::(\d{1,4}))?$/.exec(text) ?? []
  const min = Number(least)
  const max = Number(most ?? least)
  if (least === undefined || max < 1 || min < 1 || min > max)
    throw new InvalidArgumentError('It must be a number from 1 on, or two such as 1:4.')
  return most === undefined ? min : { min, max }
}

/** Reads an amount. @throws {InvalidArgumentError} where it is none. */
export function parseAmount(text: string): number {
  const amount = Number(text)
  if (text.trim() !== '' && Number.isFinite(amount) && amount >= 0) return amount
  throw new InvalidArgumentError('It must be a number from 0 on.')
}

/** Reads a resource beside those before. @throws {InvalidArgumentError} where it is none. */
export function parseResource(
  text: string,
  before: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const cut = text.lastIndexOf('=')
  if (cut < 1) throw new InvalidArgumentError('It must be a name and an amount, such as accelerator=1.')
  return { ...before, [text.slice(0, cut)]: parseAmount(text.slice(cut + 1)) }
}
