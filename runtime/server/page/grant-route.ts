import type { ArtifactGrants } from '../../auth/grant.ts'
import type { FunctionManifest } from '../../build/manifest.ts'
import type { ModelInfo } from '../../define/context.ts'
import { IsoplexError } from '../../error/error.ts'
import { isForBrowsers } from '../../model/browser-mark.ts'
import type { ModelPart } from '../../model/composite.ts'
import type { ResolvedModel } from '../../model/resolve.ts'
import type { PageModel, PagePart } from '../../page/model.ts'
import { type Authorizer, authorize } from '../authorization.ts'
import { createArtifactLink } from '../registry/artifact-link.ts'
import type { RegistryService } from '../registry/service.ts'
import { jsonReply } from '../reply.ts'
import type { SystemRoute } from '../system-route.ts'

/** What grants are given with. */
export interface GrantOptions {
  readonly authorizer: Authorizer
  readonly registry: Pick<RegistryService, 'findArtifact'>
  readonly grants: Pick<ArtifactGrants, 'make'>
  /** Whether pages may have only models that are marked for browsers; in `dev` they may have all. */
  readonly markedOnly: boolean
  /** The time, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

/**
 * `GET /-/grants/:function` tells a page which model answers its calls of a function, and gives it a link to the
 * model's artifact for 15 minutes; for a graph, the models and links of the functions that it is made of. Whoever asks is
 * authorized as for a call of the function, and gets the version that the call would get.
 */
export function createGrantRoute(
  functions: readonly FunctionManifest[],
  { authorizer, registry, grants, markedOnly, now = Date.now }: GrantOptions,
): SystemRoute {
  const byName = new Map(functions.map((fn) => [fn.name, fn]))
  const linkModel = async (model: ResolvedModel): Promise<PageModel> => {
    if (markedOnly && !isForBrowsers(model.info)) throw unmarked(model.info)
    // Asking for it also keeps it from being pruned.
    const file = await registry.findArtifact(model.digest)
    if (file === null) throw missing()
    const link = createArtifactLink(model.digest, { grants, now })
    const { sizeBytes } = file
    return toPageModel(model, { sizeBytes, url: link.path, expiresAtMs: link.expiresAtMs })
  }
  const linkPart = async ({ model, ...part }: ModelPart): Promise<PagePart> => ({
    ...part,
    model: await linkModel(model),
  })
  const GET: SystemRoute['handlers']['GET'] = async ({ request, parameters: [name = ''] }) => {
    const fn = assertGrantable(byName.get(name), name)
    const { model } = await authorize(request.headers, fn, authorizer)
    if (fn.graph) return jsonReply({ parts: await Promise.all((model?.parts ?? []).map(linkPart)) })
    if (model === null) throw new Error(`"${fn.name}" has a model, but none was found for it`)
    return jsonReply(await linkModel(model))
  }
  return { path: '/-/grants/:function', handlers: { GET } }
}

/** Where the artifact lies on this host is nobody else's business. */
function toPageModel(
  { key, digest, info }: ResolvedModel,
  link: Pick<PageModel, 'sizeBytes' | 'url' | 'expiresAtMs'>,
): PageModel {
  const { id, version, path: _, ...fields } = info
  return { key, id, version, fields, digest, ...link }
}

/** @throws {IsoplexError} `ROUTE_NOT_FOUND` */
function assertGrantable(fn: FunctionManifest | undefined, name: string): FunctionManifest {
  if ((fn?.model || fn?.graph) && fn.runs.includes('browser')) return fn
  const shown = JSON.stringify(name.slice(0, 128).toWellFormed())
  if (fn === undefined) {
    throw notFound(`There is no function ${shown}; GET /-/routes lists those that there are.`)
  }
  throw notFound(
    fn.model || fn.graph
      ? `The function ${shown} runs on servers only; runs: ['server', 'browser'] lets it run in pages.`
      : `The function ${shown} answers without a model: there is nothing to grant.`,
  )
}

function notFound(message: string): IsoplexError<'ROUTE_NOT_FOUND'> {
  return new IsoplexError('ROUTE_NOT_FOUND', message)
}

function unmarked({ id }: ModelInfo): IsoplexError<'MODEL_FORBIDDEN'> {
  const message = `Model ${JSON.stringify(id)} is not given to browsers: its field "browser" is not true. Mark it with: isoplex models add … --browser, or at its backend.`
  return new IsoplexError('MODEL_FORBIDDEN', message, { details: { model: id } })
}

/** It was made ready just now, so somebody removed it by hand. */
function missing(): IsoplexError<'ARTIFACT_BROKEN'> {
  const message = 'The artifact of the model is not in the store any more; add its model again.'
  return new IsoplexError('ARTIFACT_BROKEN', message, { details: { reason: 'missing' } })
}
