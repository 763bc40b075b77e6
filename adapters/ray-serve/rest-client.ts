import { IsoplexError } from '../../runtime/error/error.ts'
import { askDashboard } from './dashboard.ts'

/** What Ray's dashboard tells of an application; what it does not need is left out. */
export interface ApplicationStatus {
  readonly status: string
  readonly message: string
  readonly route_prefix: string | null
  readonly deployments: Readonly<Record<string, DeploymentStatus>>
  /** As it was put; `null` where it was made by a program of its own. */
  readonly deployed_app_config: ApplicationConfig | null
}

/** What it tells of one of an application's deployments. */
export interface DeploymentStatus {
  readonly status: string
  readonly message: string
  readonly replicas?: readonly Readonly<Record<string, unknown>>[]
}

/** An application in the words of Ray Serve's configuration. */
export interface ApplicationConfig extends Readonly<Record<string, unknown>> {
  readonly name: string
  readonly route_prefix?: string | null
  readonly import_path: string
  readonly args?: Readonly<Record<string, unknown>>
}

/** All that Ray Serve tells of itself. */
export interface ServeStatus {
  readonly applications: Readonly<Record<string, ApplicationStatus>>
  readonly proxy_location?: string | null
  readonly http_options?: Readonly<Record<string, unknown>> | null
}

/** What a machine of the cluster has, by Ray's names. */
export interface NodeStatus {
  readonly node_id: string
  readonly state: string
  readonly resources_total: Readonly<Record<string, number>>
}

/** Resources in use and in all, by Ray's names. */
export type ResourceUsage = Readonly<Record<string, readonly [used: number, total: number]>>

const readTimeoutMs = 15_000
/** The first order of all starts Ray Serve. */
const writeTimeoutMs = 90_000
const longestQuote = 600

/** The REST interface of Ray's dashboard. */
export class RayRestClient {
  readonly #address: string

  /** @param address such as `http://127.0.0.1:8265` */
  constructor(address: string) {
    this.#address = address.replace(/\/+$/, '')
  }

  /** The version of Ray. @throws {IsoplexError} `CLUSTER_UNREACHABLE` */
  async version(signal?: AbortSignal): Promise<string> {
    const { ray_version } = await this.#read<{ ray_version?: unknown }>('/api/version', signal)
    if (typeof ray_version === 'string') return ray_version
    throw this.#unreachable('it answers, but not as the dashboard of Ray does')
  }

  /** The machines that are up. @throws {IsoplexError} `CLUSTER_UNREACHABLE` */
  async nodes(signal?: AbortSignal): Promise<readonly NodeStatus[]> {
    const { data } = await this.#read<{ data: { result: { result: readonly NodeStatus[] } } }>(
      '/api/v0/nodes?limit=10000',
      signal,
    )
    return data.result.result.filter(({ state }) => state === 'ALIVE')
  }

  /** What is in use. @throws {IsoplexError} `CLUSTER_UNREACHABLE` */
  async usage(signal?: AbortSignal): Promise<ResourceUsage> {
    type Report = { clusterStatus?: { loadMetricsReport?: { usage?: ResourceUsage } } | null }
    const { data } = await this.#read<{ data: Report }>('/api/cluster_status', signal)
    return data.clusterStatus?.loadMetricsReport?.usage ?? {}
  }

  /** What Ray Serve serves. @throws {IsoplexError} `CLUSTER_UNREACHABLE` */
  status(signal?: AbortSignal): Promise<ServeStatus> {
    return this.#read<ServeStatus>('/api/serve/applications/', signal)
  }

  /**
   * Puts the applications of Ray Serve: those that are not named go.
   *
   * @throws {IsoplexError} `CLUSTER_UNREACHABLE`, `DEPLOY_FAILED` where Ray refuses the configuration.
   */
  async put(config: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<void> {
    const body = JSON.stringify(config)
    const headers = { 'content-type': 'application/json' }
    const reply = await this.#fetch('/api/serve/applications/', writeTimeoutMs, signal, {
      method: 'PUT',
      headers,
      body,
    })
    const text = await reply.text()
    if (reply.ok) return
    const message = `Ray at ${this.#address} refuses the applications (${reply.status}): ${quote(text)}`
    throw new IsoplexError('DEPLOY_FAILED', message, { details: { log: text.slice(-longestQuote) } })
  }

  async #read<Value>(path: string, signal: AbortSignal | undefined): Promise<Value> {
    const reply = await this.#fetch(path, readTimeoutMs, signal, {})
    const text = await reply.text().catch(() => '')
    if (!reply.ok) throw this.#unreachable(`${path} answers ${reply.status}: ${quote(text)}`)
    try {
      return JSON.parse(text)
    } catch {
      throw this.#unreachable('it answers, but not as the dashboard of Ray does')
    }
  }

  #fetch(
    path: string,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    init: RequestInit,
  ): Promise<Response> {
    return askDashboard({
      url: this.#address + path,
      init,
      timeoutMs,
      signal,
      interrupted: 'The deployment was interrupted.',
      unreachable: (reason, cause) => this.#unreachable(reason, cause),
    })
  }

  #unreachable(reason: string, cause?: unknown): IsoplexError<'CLUSTER_UNREACHABLE'> {
    const message = `No Ray cluster is to be had at ${this.#address} (${reason}); name the address of its dashboard, such as http://127.0.0.1:8265, and start Ray with the packages of adapters/ray-serve/requirements.txt.`
    return new IsoplexError('CLUSTER_UNREACHABLE', message, { cause })
  }
}

function quote(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, longestQuote)
}
