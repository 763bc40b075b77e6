import type { ArtifactGrants } from '../../auth/grant.ts'
import { IsoplexError } from '../../error/error.ts'
import type { BodyReading } from '../json-body.ts'
import type { SystemHandler, SystemRoute } from '../system-route.ts'
import { createApplicationHandlers } from './application-handlers.ts'
import { createArtifactLink } from './artifact-link.ts'
import { artifactReply } from './artifact-reply.ts'
import { createModelHandlers } from './model-handlers.ts'
import type { RegistryOptions, RegistryService } from './service.ts'
import { createUploadHandlers } from './upload-handlers.ts'

/** What the registry is served with. */
export interface RegistryRoutesOptions {
  readonly registry: RegistryService
  readonly grants: ArtifactGrants
  /** The origin by which clients reach this server; `null` for the one that each has asked. */
  readonly publicUrl: string | null
  readonly body: BodyReading
  /** The time, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

/**
 * The embedded registry as others know a Synapse backend, below `/-/registry/`: models and their artifacts, and
 * uploads and what was deployed for those who may publish. Artifacts are fetched without any header, as clients of Synapse do it: by a
 * grant in the URL, for one artifact and a short while.
 */
export function createRegistryRoutes(options: RegistryRoutesOptions): readonly SystemRoute[] {
  const { registry, grants, publicUrl, body, now = Date.now } = options
  const originOf = ({ url }: Request): string => publicUrl ?? new URL(url).origin
  const artifactUrl = (request: Request, digest: string): string => {
    return originOf(request) + createArtifactLink(digest, { grants, now }).path
  }
  const shared: RegistryOptions = { registry, body, originOf, artifactUrl }
  const models = createModelHandlers(shared)
  const uploads = createUploadHandlers(shared)
  const applications = createApplicationHandlers(shared)
  return [
    { path: '/-/registry/models/', handlers: { GET: models.list, POST: uploads.register } },
    { path: '/-/registry/models/:name/', handlers: { GET: models.show } },
    {
      path: '/-/registry/artifacts/:digest',
      handlers: { GET: createArtifactHandler(registry, grants, now) },
    },
    {
      path: '/-/registry/serve_applications/',
      handlers: { GET: applications.list, POST: applications.register },
    },
    { path: '/-/registry/serve_applications/:id/', handlers: { GET: applications.show } },
    { path: '/-/registry/chunked_upload/', handlers: { PUT: uploads.putChunk } },
    { path: '/-/registry/chunked_upload/:id/', handlers: { PUT: uploads.putChunk, POST: uploads.finish } },
  ]
}

function createArtifactHandler(
  registry: RegistryService,
  grants: ArtifactGrants,
  now: () => number,
): SystemHandler {
  return async ({ request, parameters: [digest = ''] }) => {
    const grant = new URL(request.url).searchParams.get('grant') ?? ''
    if (!/^[0-9a-f]{64}$/.test(digest) || !grants.check(digest, grant, now())) throw grantInvalid()
    const file = await registry.findArtifact(digest)
    if (file === null) throw artifactGone()
    return artifactReply(request, file)
  }
}

function grantInvalid(): IsoplexError<'GRANT_INVALID'> {
  return new IsoplexError('GRANT_INVALID', 'The link has expired or was altered; ask for the model again.')
}

function artifactGone(): IsoplexError<'ENTRY_NOT_FOUND'> {
  return new IsoplexError('ENTRY_NOT_FOUND', 'The artifact is not here any more; ask for the model again.', {
    details: { entry: 'artifact' },
  })
}
