/** A node: it starts replicas for gateways of other machines, and tells them what it serves. */
import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import packageFile from '../../package.json' with { type: 'json' }
import { bundlesOf } from '../build/bundle-folder.ts'
import type { Manifest } from '../build/manifest.ts'
import type { Config } from '../config/config.ts'
import { IsoplexError } from '../error/error.ts'
import type { Logger } from '../observe/log.ts'
import { ContentOffer } from '../replica/node/content-offer.ts'
import { ContentShelf } from '../replica/node/content-shelf.ts'
import { NodeServer } from '../replica/node/node-server.ts'
import {
  formatNodeAddress,
  type NodeAddress,
  parseNodeAddress,
  readNodeSecurity,
} from '../replica/node/security.ts'
import { WarmReplicas } from '../replica/node/warm-replicas.ts'

/** What a node is made with. */
export interface NodeOptions {
  readonly config: Config
  readonly projectDirectory: string
  readonly stateDirectory: string
  /** All of the environment that its replicas get. */
  readonly environment: Readonly<Record<string, string>>
  readonly log: Logger
}

/** A node that listens. */
export interface OpenNode extends AsyncDisposable {
  /** Where it listens. */
  readonly address: NodeAddress
  /** Tells gateways what is served from now on, and from which folder of bundles. */
  follow(manifest: Manifest, bundlesDirectory: string): Promise<void>
  /** Waits until gateways have let go of what they have here, then ends the rest; by force after the time given. */
  close(timeoutMs: number): Promise<void>
}

/**
 * Opens a node.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where no address is set, it cannot be had, or anybody could reach it without
 * proving itself.
 */
export async function openNode(options: NodeOptions): Promise<OpenNode> {
  const { config, projectDirectory, stateDirectory, environment, log } = options
  if (config.nodeAddress === null)
    throw new IsoplexError('CONFIG_INVALID', 'A node needs to know where to listen; set --node-address.')
  const address = parseNodeAddress(config.nodeAddress)
  const security = await readNodeSecurity(config, projectDirectory)
  await using opening = new AsyncDisposableStack()
  const shelf = await ContentShelf.open(join(stateDirectory, 'content'), config.maxStoreBytes)
  opening.defer(() => shelf.close())
  const own = new ContentOffer()
  const warm = new WarmReplicas({ environment, log })
  opening.defer(() => warm.close())
  const none = await own.offerFiles(stateDirectory, [])
  const facts = {
    id: randomUUID(),
    version: packageFile.version,
    places: Math.max(1, config.replicas),
    leaving: false,
    manifest: { functions: [], broken: [] },
    bundles: none.digest,
  }
  const intraOpThreads = Math.max(1, Math.floor(availableParallelism() / facts.places))
  const startReplica = warm.take
  const server = listen(() => {
    return new NodeServer({ address, security, facts, own, shelf, intraOpThreads, startReplica, log })
  }, address)
  opening.defer(() => server.close(0))
  const resources = opening.move()
  return {
    address: server.address,
    async follow(manifest, bundlesDirectory) {
      const names = [...new Set(manifest.functions.flatMap(bundlesOf))]
      // Each by itself too: orders name one bundle, which is then not sent here.
      await Promise.all(names.map((name) => own.offerFile(join(bundlesDirectory, name))))
      const { digest } = await own.offerFiles(bundlesDirectory, names)
      server.tell({ manifest: { functions: manifest.functions, broken: [] }, bundles: digest })
    },
    async close(timeoutMs) {
      await server.close(timeoutMs)
      await resources.disposeAsync()
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

function listen(open: () => NodeServer, address: NodeAddress): NodeServer {
  try {
    return open()
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code !== 'EADDRINUSE' && code !== 'EADDRNOTAVAIL' && code !== 'EACCES') throw cause
    const message = `A node cannot listen on ${formatNodeAddress(address)} (${code}); name another with --node-address, with port 0 for any that is free.`
    throw new IsoplexError('CONFIG_INVALID', message, { cause })
  }
}
