import { createHmac, randomUUID } from 'node:crypto'
import { IsoplexError } from '../../runtime/error/error.ts'
import { isRouted, type OwnApplication, ownApplications } from './application.ts'
import { RayRestClient, type ServeStatus } from './rest-client.ts'

/** Where a node listens. */
export interface RayNodeAddress {
  readonly host: string
  readonly port: number
}

/** How the nodes of a cluster are found. */
export interface RayNodeOptions {
  /** The dashboard, such as `http://127.0.0.1:8265`. */
  readonly address: string
  /** The application, by its name without the version. @default the only one that has a route */
  readonly application: string | null
  /** What gateways and nodes share. */
  readonly key: Buffer
  /** Is told when the nodes cannot be asked for, once for each reason. */
  readonly trouble: (message: string) => void
  /** How often it is asked. @default 1000 */
  readonly intervalMs?: number
}

const requestTimeoutMs = 5_000
const addressPattern = /^(?:\[([0-9a-f:.%]+)\]|([^:[\]/\s]+)):(\d{1,5})$/i

/**
 * The replicas of an application on a Ray cluster that are nodes, as the cluster knows them: Ray says which application
 * has the route, and its gate where the replicas are, to whoever proves that it has the key. What was known last stays
 * while Ray does not answer, since replicas go on without it.
 */
export class RayNodeDirectory implements Disposable {
  readonly name: string
  readonly #options: RayNodeOptions
  readonly #client: RayRestClient
  readonly #stopping = new AbortController()
  #known = ''
  #told = ''

  constructor(options: RayNodeOptions) {
    this.name = options.address
    this.#options = options
    this.#client = new RayRestClient(options.address)
  }

  /** Tells which nodes are there, as soon as that is known, and whenever it changes. */
  follow(changed: (nodes: readonly RayNodeAddress[]) => void): void {
    void this.#poll(changed)
  }

  /** Asks no more. */
  [Symbol.dispose](): void {
    this.#stopping.abort()
  }

  async #poll(changed: (nodes: readonly RayNodeAddress[]) => void): Promise<void> {
    const { intervalMs = 1_000, trouble } = this.#options
    while (!this.#stopping.signal.aborted) {
      try {
        const nodes = await this.#nodes()
        this.#told = ''
        const known = nodes.join(' ')
        // Replicas that come up have not said yet where they are.
        if (nodes.length > 0 && known !== this.#known) {
          this.#known = known
          changed(nodes.map(parseAddress))
        }
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        if (!this.#stopping.signal.aborted && message !== this.#told) trouble(message)
        this.#told = message
      }
      await Bun.sleep(intervalMs)
    }
  }

  async #nodes(): Promise<readonly string[]> {
    const { signal } = this.#stopping
    const status = await this.#client.status(signal)
    const application = this.#choose(status)
    const { route_prefix: prefix } = application.status
    const url = `${proxyUrlOf(status, this.#options.address)}${prefix === '/' ? '' : prefix}/-/nodes`
    const reply = await fetch(url, {
      headers: { 'x-isoplex-proof': proofOf(this.#options.key) },
      signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
    })
    if (!reply.ok) throw new Error(refusalOf(reply.status, application.config.name))
    const { nodes } = (await reply.json()) as { readonly nodes?: unknown }
    if (Array.isArray(nodes) && nodes.every((node) => addressPattern.test(String(node))))
      return nodes.map(String)
    throw new Error(`The gate of ${application.config.name} answers something else than its nodes.`)
  }

  #choose(status: ServeStatus): OwnApplication {
    const { application, address } = this.#options
    const routed = ownApplications(status, application ?? undefined).filter(isRouted)
    const [first, ...others] = routed
    if (first && others.length === 0) return first
    const names = routed.map(({ name }) => name).join(', ')
    throw first
      ? new Error(
          `Several applications are on Ray at ${address} (${names}); name one with --ray-application.`,
        )
      : new IsoplexError(
          'REPLICAS_MISSING',
          `No application ${application === null ? 'of isoplex' : `"${application}"`} has a route on Ray at ${address}; put one there with "isoplex deploy".`,
        )
  }
}

/** Where Ray Serve answers. */
function proxyUrlOf({ http_options: options }: ServeStatus, dashboard: string): string {
  const { host = '127.0.0.1', port = 8_000 } = Object(options) as { host?: string; port?: number }
  const everywhere = host === '0.0.0.0' || host === '::'
  const name = host.includes(':') ? `[${host}]` : host
  return `http://${everywhere ? new URL(dashboard).hostname : name}:${port}`
}

/** Proves that one has the key, without showing it; for a minute. */
function proofOf(key: Buffer): string {
  const stamp = `${Date.now()}.${randomUUID()}`
  return `${stamp}.${createHmac('sha256', key).update(`isoplex nodes ${stamp}`).digest('hex')}`
}

function refusalOf(status: number, application: string): string {
  if (status === 401)
    return `The replicas of ${application} have another key than this gateway (nodeKeyFile).`
  if (status === 404)
    return `The replicas of ${application} are no nodes; deploy it with --node-address and --node-key-file.`
  return `The gate of ${application} answers ${status} where it is asked for its nodes.`
}

function parseAddress(text: string): RayNodeAddress {
  const match = addressPattern.exec(text)
  return { host: match?.[1] ?? match?.[2] ?? '', port: Number(match?.[3]) }
}
