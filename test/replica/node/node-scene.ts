import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Socket } from 'bun'
import { frameHeaderBytes, frameKinds } from '../../../runtime/replica/frame.ts'
import { ContentOffer } from '../../../runtime/replica/node/content-offer.ts'
import { ContentShelf } from '../../../runtime/replica/node/content-shelf.ts'
import { NodeServer } from '../../../runtime/replica/node/node-server.ts'
import type { NodeAddress, NodeSecurity } from '../../../runtime/replica/node/security.ts'
import { WarmReplicas } from '../../../runtime/replica/node/warm-replicas.ts'
import { type PassiveReplica, writePassiveReplica } from '../passive-replica.ts'

/** A node in this process, whose replicas do nothing by themselves. */
export interface NodeScene extends AsyncDisposable {
  readonly address: NodeAddress
  readonly security: NodeSecurity
  readonly server: NodeServer
  readonly passive: PassiveReplica
  /** What the node serves itself. */
  readonly own: ContentOffer
  /** What was logged. */
  readonly log: readonly string[]
  readonly directory: string
}

/** Opens a node on a free port. */
export async function openNodeScene(
  security: NodeSecurity = { key: randomBytes(32), tls: null },
): Promise<NodeScene> {
  const directory = await mkdtemp(join(tmpdir(), 'isoplex-node-'))
  const passive = await writePassiveReplica(directory)
  const log: string[] = []
  const write = (message: string): void => void log.push(message)
  const logger = { debug: write, info: write, warn: write, error: write }
  const environment = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' }
  const warm = new WarmReplicas({ environment, log: logger, entryPath: passive.entryPath })
  const shelf = await ContentShelf.open(join(directory, 'content'), 2 ** 30)
  const own = new ContentOffer()
  const server = new NodeServer({
    address: { host: '127.0.0.1', port: 0 },
    security,
    own,
    shelf,
    intraOpThreads: 1,
    startReplica: warm.take,
    log: logger,
    facts: {
      id: 'test',
      version: '0',
      places: 1,
      leaving: false,
      manifest: { functions: [], broken: [] },
      bundles: '',
    },
  })
  return {
    address: server.address,
    security,
    server,
    passive,
    own,
    log,
    directory,
    async [Symbol.asyncDispose]() {
      await server.close(0)
      await warm.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** A connection on which a test says what no gateway would. */
export class Stranger {
  readonly received: Buffer[] = []
  ended = false
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Connects to a node. */
  static async connect({ host, port }: NodeAddress): Promise<Stranger> {
    const early: Buffer[] = []
    let ended = false
    const end = (): void => {
      ended = true
      if (stranger) stranger.ended = true
    }
    let stranger: Stranger | null = null
    const socket = await Bun.connect({
      hostname: host,
      port,
      socket: {
        data: (_, bytes) => void (stranger?.received ?? early).push(Buffer.from(bytes)),
        end,
        close: end,
        error: end,
      },
    })
    stranger = new Stranger(socket)
    stranger.received.push(...early)
    stranger.ended = ended
    return stranger
  }

  /** Sends bytes as they are. */
  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Sends a message as gateways and nodes do. */
  say(message: unknown, kind: number = frameKinds.control): void {
    this.send(frameOf(kind, Buffer.from(String(JSON.stringify(message)))))
  }

  /** Closes it. */
  close(): void {
    this.#socket.terminate()
  }
}

/** A frame with a length of its own choice. */
export function frameOf(kind: number, payload: Uint8Array, length: number = payload.length): Buffer {
  const header = Buffer.alloc(frameHeaderBytes)
  header.writeUInt32LE(length, 0)
  header.writeUInt8(kind, 8)
  return Buffer.concat([header, payload])
}
