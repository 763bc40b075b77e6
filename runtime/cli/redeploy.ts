import type { Command } from 'commander'
import type { DeploymentChange } from '../config/deployment-config.ts'
import { deploymentChangeSchema } from '../config/deployment-schema.ts'
import { isRecord } from '../config/package-file.ts'
import { structureMistake } from '../config/structure-mistake.ts'
import { getDeployment } from '../control/deployments.ts'
import { IsoplexError } from '../error/error.ts'
import { formatDeployments } from './deployments.ts'
import { createOutput } from './output.ts'
import { addConfigFlags, openProject } from './project.ts'

interface RedeployFlags {
  readonly replicas?: string
  readonly options?: string
  readonly settings?: string
  readonly stateDirectory?: string
  readonly json?: boolean
}

/** Adds `isoplex redeploy`: other settings for a deployment of the running server. */
export function addRedeployCommand(program: Command): void {
  const command = program
    .command('redeploy')
    .description('Change the settings of a deployment of the running server, without losing a request.')
    .argument('<name>', 'the deployment, as "isoplex deployments" lists it')
    .option('--replicas <count>', 'replicas of its own: 2, or 0-4 for as many as the load needs; or shared')
    .option('--options <json>', 'what its functions get in setup as context.options')
    .option('--settings <json>', 'further settings, such as {"maxOngoingRequests":4}')
    .option('--json', 'print JSON')
    .action((name: string, flags: RedeployFlags) => redeploy(name, flags))
    .addHelpText('after', '\nA restart of the server goes back to its configuration.')
  addConfigFlags(command, ['stateDirectory'])
}

async function redeploy(name: string, flags: RedeployFlags): Promise<void> {
  const change = toChange(flags)
  const { stateDirectory } = await openProject({ stateDirectory: flags.stateDirectory })
  const deployment = await getDeployment(name, { stateDirectory })
  const after = await deployment.redeploy(change)
  createOutput(flags.json ?? false).result(after, formatDeployments([after]))
}

/**
 * The change that flags ask for.
 *
 * @throws {IsoplexError} `CONFIG_INVALID`, naming the flag.
 */
export function toChange({ replicas, options, settings }: RedeployFlags): DeploymentChange {
  const further = settings === undefined ? {} : readJson('--settings', settings)
  if (!isRecord(further)) throw invalid('--settings must be an object.')
  const change: DeploymentChange = {
    ...further,
    ...(replicas === undefined ? {} : { replicas: readReplicas(replicas) }),
    ...(options === undefined ? {} : { options: readJson('--options', options) }),
  }
  const mistake = structureMistake(deploymentChangeSchema, change)
  if (mistake !== null) throw invalid(`The settings are not taken. ${mistake}`)
  if (Object.keys(change).length > 0) return change
  throw invalid('Nothing is to be changed: name --replicas, --options or --settings.')
}

function readReplicas(text: string): DeploymentChange['replicas'] {
  if (text === 'shared') return null
  const [, min, max] = /^(\d{1,3})-(\d{1,3})$/.exec(text) ?? []
  if (min !== undefined && max !== undefined) return { min: Number(min), max: Number(max) }
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text)
  throw invalid(
    `--replicas must be a number from 1, two such as 0-4, or shared; it is ${JSON.stringify(text)}.`,
  )
}

function readJson(flag: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalid(`${flag} must be JSON; it is ${JSON.stringify(text.slice(0, 80))}.`)
  }
}

function invalid(message: string): IsoplexError<'CONFIG_INVALID'> {
  return new IsoplexError('CONFIG_INVALID', message)
}
