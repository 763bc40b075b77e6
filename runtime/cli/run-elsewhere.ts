import type { FunctionManifest, Manifest } from '../build/manifest.ts'
import { createClient } from '../client/client.ts'
import type { TokenOption } from '../client/token-source.ts'
import { makeStateDirectory } from '../config/state-directory.ts'
import { inferRemote } from '../deploy/infer-remote.ts'
import { openFunctionSource } from '../entry/function-source.ts'
import { IsoplexError, isIsoplexError } from '../error/error.ts'
import { visibleEnvironment } from '../replica/environment.ts'
import { readPluginIdentity } from '../route/prefix.ts'
import { isLoopback } from '../server/guard.ts'
import { callFunction, submitJob } from './run-call.ts'
import { writeResult } from './run-output.ts'
import { isRecord } from './run-params.ts'
import { findFunction, type RunRequest } from './run-request.ts'
import { makeProjectToken, namedModel, readGivenToken } from './run-token.ts'

/** Where a Synapse plugin's functions are served, as its clients have it. */
const deployedAddress = 'http://localhost:8100'

/**
 * Has another server run a function: an action as a job of it, an inference function as `infer_remote` does. Gives the
 * exit code.
 *
 * @throws {IsoplexError} `CONFIG_INVALID`, `ROUTE_NOT_FOUND`, `BUILD_FAILED`, and whatever the call fails with.
 */
export async function runElsewhere(request: RunRequest): Promise<number> {
  const fn = findFunction(await readManifest(request), request.name)
  if (fn.kind === 'inference') return await inferElsewhere(fn, request)
  const baseUrl = request.url ?? serverUrl(request)
  const token = await readGivenToken(request)
  const run = async (sent: TokenOption): Promise<number> => {
    const client = createClient({ baseUrl, token: sent, fetch: unhurried })
    return await (fn.kind === 'action' ? submitJob : callFunction)(client, fn, request)
  }
  try {
    return await run(token)
  } catch (error) {
    // Only a server that asks for a token gets one, and only one of this project on this machine.
    const isOwn = token === null && isLoopback(new URL(baseUrl).hostname)
    if (!isIsoplexError(error) || error.code !== 'TOKEN_MISSING') throw unreachable(error, baseUrl)
    if (!isOwn || namedModel(fn, request) === null) throw tokenless(error, isOwn)
    // It is made anew where it ends before the job does.
    return await run(() => makeProjectToken(fn, request))
  }
}

/** What a server says of a token that it misses is meant for those who write requests. */
function tokenless(cause: IsoplexError<'TOKEN_MISSING'>, isOwn: boolean): IsoplexError {
  const made = isOwn ? ', or name a model with --model, and one is made' : ''
  const message = `A model token is required: give it by ISOPLEX_TOKEN or --token-file${made}.`
  return new IsoplexError('TOKEN_MISSING', message, { cause })
}

/** What a client says of a connection that it does not get is meant for pages, too. */
function unreachable(error: unknown, url: string): unknown {
  if (!isIsoplexError(error) || error.code !== 'FETCH_FAILED' || error.details.reason !== 'connection')
    return error
  const message = `No server answers at ${url}; start one with "isoplex serve", or name another address with --url.`
  return new IsoplexError('FETCH_FAILED', message, { details: error.details, cause: error })
}

/** The manifest of a project, as its files are now. @throws {IsoplexError} `CONFIG_INVALID` */
export async function readManifest({ project }: Pick<RunRequest, 'project'>): Promise<Manifest> {
  const { config, ...folders } = project
  await makeStateDirectory(folders.stateDirectory)
  const environment = visibleEnvironment(process.env, config.environment)
  await using source = await openFunctionSource({ ...folders, mode: 'dev', environment })
  return await source.read()
}

async function inferElsewhere(
  fn: FunctionManifest,
  { params = {}, project, url, tenant, timeoutMs, json, signal }: RunRequest,
): Promise<number> {
  if (!isRecord(params)) {
    const message = '--params must be an object with "model", "method" and "json", as infer_remote takes it.'
    throw new IsoplexError('CONFIG_INVALID', message)
  }
  const { config, projectDirectory } = project
  const sources = { environment: process.env, routePrefix: config.routePrefix }
  const { routePrefix } = await readPluginIdentity(projectDirectory, sources)
  const answer = await inferRemote({
    address: url ?? deployedAddress,
    routePrefix,
    path: fn.path,
    params,
    backendUrl: process.env.SYNAPSE_PLUGIN_RUN_HOST || process.env.SYNAPSE_HOST || config.backendUrl,
    accessToken: process.env.SYNAPSE_ACCESS_TOKEN || null,
    tenant,
    signal,
    ...(timeoutMs !== null && { timeoutMs }),
  })
  await writeResult(answer, { json })
  return 0
}

function serverUrl({ project: { config } }: RunRequest): string {
  const { host, port } = config
  if (port === 0) {
    throw new IsoplexError('CONFIG_INVALID', 'The port of the server is not known; name it with --url.')
  }
  const reached = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`
}

/** Bun would give up after five minutes in which nothing comes. */
function unhurried(url: string, init: RequestInit): Promise<Response> {
  const options: object = { ...init, timeout: false }
  return fetch(url, options)
}
