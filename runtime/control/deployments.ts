/** The control of a running server from another process: published as `isoplex/control`. */
import { resolve } from 'node:path'
import { createClient } from '../client/client.ts'
import type { Given, Received } from '../client/handles.ts'
import type { TokenOption } from '../client/token-source.ts'
import type { DeploymentChange } from '../config/deployment-config.ts'
import type { FunctionTypes } from '../define/definition.ts'
import type { FunctionHandle } from '../define/handle.ts'
import { IsoplexError } from '../error/error.ts'
import type { DeploymentList, DeploymentReport } from '../replica/deployment-report.ts'
import { type Ask, createAsk } from './ask.ts'
import { findControlSocket } from './control-socket.ts'
import { createRemoteHandle } from './remote-handle.ts'

/** Which server is meant: by its URL, else the one of this machine that runs on a state directory. */
export interface ControlOptions {
  /** The state directory of the server. @default '.isoplex', seen from the current folder */
  readonly stateDirectory?: string | undefined
  /** Where the server is, wherever it runs. */
  readonly url?: string | undefined
  /** An access token with the right `admin`, which a server asks for where it is asked by its URL. @default none */
  readonly accessToken?: string | undefined
}

/** How a deployment is called. */
export interface RemoteHandleOptions {
  /** The model token, or what gives one: it is asked once, and again when the token has expired. @default none */
  readonly token?: TokenOption | undefined
}

/** A handle of a function, known by its type. */
export type RemoteHandle<Fn> =
  Fn extends FunctionTypes<infer Params, infer Query, infer Input, infer Output>
    ? FunctionHandle<Given<Input>, Received<Output>, Params, Query>
    : never

/** A deployment of a running server, as it stood when it was asked for. */
export interface RunningDeployment extends DeploymentReport {
  /**
   * A handle that calls it over HTTP, typed by the function's definition.
   *
   * @example
   * const digits = deployment.handle<typeof import('./functions/digits.ts').default>({ token })
   * const { digit } = await digits.infer({ pixels })
   */
  handle<Fn extends FunctionTypes<unknown, unknown, unknown, unknown> = AnyFunction>(
    options?: RemoteHandleOptions,
  ): RemoteHandle<Fn>
  /**
   * Changes settings of it; what is not named stays. Its new runners come up before the old ones are left, so that no
   * request is lost; where they do not come up nothing is changed. A restart of the server goes back to its configuration.
   *
   * @throws {IsoplexError} `INPUT_INVALID` for settings that it cannot have, `DEPLOYMENT_NOT_FOUND` where it has gone
   * meanwhile, and whatever keeps its new runners from coming up.
   */
  redeploy(change: DeploymentChange): Promise<RunningDeployment>
}

/** A function of which no more is known than that it is one. */
type AnyFunction = FunctionTypes<
  Readonly<Record<string, string>> | undefined,
  Readonly<Record<string, string>> | undefined,
  unknown,
  unknown
>

/**
 * The deployments of a running server.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where no server runs on the state directory; `ACCESS_REQUIRED`,
 * `ACCESS_FORBIDDEN`, `FETCH_FAILED` where it is asked by its URL.
 */
export async function listDeployments(options: ControlOptions = {}): Promise<readonly RunningDeployment[]> {
  const ask = await openAsk(options)
  const { url, deployments } = await list(ask)
  return deployments.map((report) => toRunning(report, { ask, url: options.url ?? url }))
}

/**
 * A deployment of a running server by its name.
 *
 * @throws {IsoplexError} `DEPLOYMENT_NOT_FOUND`, and as {@link listDeployments}.
 */
export async function getDeployment(name: string, options: ControlOptions = {}): Promise<RunningDeployment> {
  const deployments = await listDeployments(options)
  const found = deployments.find((deployment) => deployment.name === name)
  if (found) return found
  const names = deployments.map((each) => each.name).join(', ') || 'none'
  throw new IsoplexError('DEPLOYMENT_NOT_FOUND', `There is no deployment "${name}"; there are: ${names}.`, {
    details: { deployment: name },
  })
}

/** Where a deployment is controlled, and called. */
interface Server {
  readonly ask: Ask
  readonly url: string
}

function toRunning(report: DeploymentReport, server: Server): RunningDeployment {
  const { name } = report
  return Object.freeze({
    ...report,
    handle: <Fn>({ token }: RemoteHandleOptions = {}) => {
      const { origin } = new URL(server.url)
      const client = createClient({ baseUrl: origin, token })
      // The types are the caller's word: the server holds each call to the schemas of the function itself.
      return createRemoteHandle(client, name) as RemoteHandle<Fn>
    },
    async redeploy(change: DeploymentChange) {
      const reply = await server.ask(`/-/deployments/${encodeURIComponent(name)}`, {
        method: 'PUT',
        json: change,
      })
      return toRunning((await reply.json()) as DeploymentReport, server)
    },
  })
}

async function list(ask: Ask): Promise<DeploymentList> {
  // What answers the control socket, or an administrator, is of the same kind as this.
  return (await (await ask('/-/deployments')).json()) as DeploymentList
}

async function openAsk({ stateDirectory = '.isoplex', url, accessToken }: ControlOptions): Promise<Ask> {
  if (url !== undefined) return createAsk({ url: originOf(url), accessToken: accessToken ?? null })
  const directory = resolve(stateDirectory)
  const socketPath = await findControlSocket(directory)
  if (socketPath !== null) return createAsk({ socketPath })
  const message = `No server runs on the state directory ${directory}; start one with "isoplex serve".`
  throw new IsoplexError('CONFIG_INVALID', message)
}

/** @throws {TypeError} */
function originOf(url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return new URL(url).origin
  throw new TypeError(`"url" must be an http or https URL; got ${JSON.stringify(url)}.`)
}
