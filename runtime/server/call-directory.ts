import type { FunctionManifest } from '../build/manifest.ts'
import { IsoplexError } from '../error/error.ts'
import type { CallHead } from '../replica/call-head.ts'
import type { CallQuestion, CallTarget, CallTargets } from '../replica/call-target.ts'
import { functionNotFound } from '../replica/failure.ts'
import { parseRoute, type RouteSegment } from '../route/pattern.ts'
import { type Authorizer, grantAccess } from './authorization.ts'
import type { ServedFunction } from './exchange.ts'

/** What a directory works with. */
export interface CallDirectoryOptions {
  readonly authorizer: Omit<Authorizer, 'verifier'>
  /** The prefix of all routes; empty for none. */
  readonly routePrefix: string
}

/** The functions of one manifest that can be called, by name, and the ids of all that call. */
interface Generation {
  readonly functions: ReadonlyMap<string, readonly Callee[]>
  readonly callers: ReadonlySet<string>
}

interface Callee extends ServedFunction {
  readonly segments: readonly RouteSegment[]
}

/** How many manifests are remembered for requests that began under them. */
const mostGenerations = 8

/**
 * The functions that functions can call: of the manifest that is live, and for requests that were at hand when it came,
 * of the one that they began under, so that caller and callee are of one build.
 */
export class CallDirectory implements CallTargets {
  readonly #options: CallDirectoryOptions
  /** The latest first. */
  #generations: readonly Generation[] = []

  constructor(options: CallDirectoryOptions) {
    this.#options = options
  }

  /** Takes in what is live from now on. */
  follow(served: readonly ServedFunction[]): void {
    const functions = new Map<string, Callee[]>()
    for (const each of served) {
      const { route, file } = each.manifest
      // Its own deployment comes first.
      const name = each.deployment.functionName
      const callee = { ...each, segments: parseRoute(route, file).segments }
      const known = functions.get(name)
      if (known) known.push(callee)
      else functions.set(name, [callee])
    }
    const callers = new Set(served.map(({ deployment }) => deployment.id))
    this.#generations = [{ functions, callers }, ...this.#generations].slice(0, mostGenerations)
  }

  /** As {@link CallTargets.find}: the rights are those of a request with the caller's token. */
  async find({ from, caller, head }: CallQuestion): Promise<CallTarget> {
    const { manifest, deployment, segments } = this.#calleeOf(from.id, head)
    const { credentials, stickyKey } = caller
    const asker = { credentials, stickyKey, modelId: head.model }
    const { model } = await grantAccess(asker, manifest, this.#options.authorizer)
    const url = this.#options.routePrefix + urlOf(segments, head)
    return { deployment, model, method: methodOf(manifest, head), url }
  }

  #calleeOf(callerId: string, { function: name, deployment }: CallHead): Callee {
    const [latest] = this.#generations
    const own = this.#generations.find(({ callers }) => callers.has(callerId)) ?? latest
    const callees = own?.functions.get(name) ?? latest?.functions.get(name)
    const [first] = callees ?? []
    if (!callees || !first || first.manifest.kind === 'action') throw functionNotFound(name)
    if (deployment === null) return first
    const named = callees.find((callee) => callee.deployment.name === deployment)
    if (!named) throw deploymentNotFound(name, deployment)
    return named
  }
}

function deploymentNotFound(name: string, deployment: string): IsoplexError<'DEPLOYMENT_NOT_FOUND'> {
  return new IsoplexError(
    'DEPLOYMENT_NOT_FOUND',
    `The function "${name}" has no deployment "${deployment}"; its deployments stand in the configuration.`,
    { details: { deployment } },
  )
}

/** Path and query as a client would ask for them. */
function urlOf(segments: readonly RouteSegment[], { params, query }: CallHead): string {
  const path = segments.map((segment) => `/${textOf(segment, params)}`).join('')
  return (path || '/') + (query === '' ? '' : `?${query}`)
}

function textOf(segment: RouteSegment, params: CallHead['params']): string {
  if (segment.kind === 'static') return segment.text
  const text = (Object.hasOwn(params, segment.name) ? params[segment.name] : undefined) ?? ''
  if (segment.kind === 'parameter') return encodeURIComponent(text)
  return text.split('/').map(encodeURIComponent).join('/')
}

/** Of several methods the first that carries an input where there is one. */
function methodOf({ methods }: FunctionManifest, { contentType }: CallHead): string {
  const carrying = methods.find((method) => method !== 'GET')
  return (contentType === null ? undefined : carrying) ?? methods[0] ?? 'POST'
}
