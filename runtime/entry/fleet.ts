/** The nodes that a gateway has its replicas on: here it is chosen how they are found. */
import { RayNodeDirectory } from '../../adapters/ray-serve/node-directory.ts'
import type { Config } from '../config/config.ts'
import { toDashboardAddress } from '../deploy/dashboard-address.ts'
import { IsoplexError } from '../error/error.ts'
import type { Logger } from '../observe/log.ts'
import { createStaticDirectory, type NodeDirectory } from '../replica/node/directory.ts'
import { NodeFleet } from '../replica/node/fleet.ts'
import { type NodeSecurity, parseNodeAddress, readNodeSecurity } from '../replica/node/security.ts'

/** How a fleet is found. */
export interface FleetSettings {
  readonly config: Config
  readonly projectDirectory: string
  /** Whether a Ray cluster knows the nodes. */
  readonly cluster: boolean
  readonly log: Logger
}

/**
 * Opens the fleet that the configuration names.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where it names none, or one that anybody could pretend to be of.
 */
export async function openFleet(settings: FleetSettings): Promise<NodeFleet> {
  const { config, projectDirectory, log } = settings
  const security = await readNodeSecurity(config, projectDirectory)
  const runnerAddress = config.runnerAddress === null ? null : parseNodeAddress(config.runnerAddress)
  const directory = openDirectory(settings, security)
  return new NodeFleet({ directory, security, runnerAddress, log })
}

function openDirectory({ config, cluster, log }: FleetSettings, { key }: NodeSecurity): NodeDirectory {
  if (cluster) {
    if (key === null)
      throw new IsoplexError(
        'CONFIG_INVALID',
        'The gate of a Ray cluster tells its nodes to who has their key; set nodeKeyFile.',
      )
    return new RayNodeDirectory({
      address: toDashboardAddress(config.rayAddress),
      application: config.rayApplication,
      key,
      trouble: (message) => log.warn('The nodes of the cluster are not known', { why: message }),
    })
  }
  if (config.nodes.length > 0) return createStaticDirectory(config.nodes.map(parseNodeAddress))
  const message = 'A gateway needs to know its nodes; name them with --nodes, or a Ray cluster with --ray.'
  throw new IsoplexError('CONFIG_INVALID', message)
}
