import { Type } from '@sinclair/typebox'
import type { CheckedAccess } from '../../model/access-table.ts'
import type { UploadState } from '../../model/upload.ts'
import { requireAccess } from '../access.ts'
import { BodyBudget } from '../body.ts'
import { readJson } from '../json-body.ts'
import { jsonReply } from '../reply.ts'
import type { SystemHandler } from '../system-route.ts'
import { chunkBudgetBytes, readChunk } from './chunk.ts'
import { modelReply } from './model-reply.ts'
import type { RegistryOptions } from './service.ts'

const finishSchema = Type.Object(
  { md5: Type.String({ pattern: '^[0-9A-Fa-f]{32}$' }) },
  { additionalProperties: false },
)

const modelSchema = Type.Object(
  {
    name: Type.String(),
    chunked_upload: Type.String({ maxLength: 64 }),
    plugin: Type.Optional(Type.Unknown()),
    version: Type.Optional(Type.Unknown()),
    fields: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  { additionalProperties: false },
)

/** The handlers by which a client of Synapse publishes a model, in the order of their use. */
export interface UploadHandlers {
  /** Takes a chunk: the first one, or the next one of the upload that the path names. */
  readonly putChunk: SystemHandler
  /** Compares the checksum of all chunks. */
  readonly finish: SystemHandler
  /** Makes a model of what was uploaded. */
  readonly register: SystemHandler
}

/** Makes the handlers of uploads. Chunks have memory of their own, apart from that of other bodies. */
export function createUploadHandlers(options: RegistryOptions): UploadHandlers {
  const { registry, artifactUrl, originOf, body } = options
  const budget = new BodyBudget(chunkBudgetBytes)
  const authenticate = ({ headers }: Request): Promise<CheckedAccess> =>
    requireAccess(headers, { rights: 'publish', synapse: true }, registry.checkAccess)
  const urlOf = (request: Request, id: string): string =>
    `${originOf(request)}/-/registry/chunked_upload/${id}/`

  const putChunk: SystemHandler = async ({ request, parameters: [id] }) => {
    const { id: accessId } = await authenticate(request)
    const { chunk, fileName, buffer, release } = await readChunk(request, budget)
    try {
      const state = await (id === undefined
        ? registry.beginUpload(accessId, chunk, buffer)
        : registry.appendUpload({ accessId, id }, chunk, buffer))
      const url = urlOf(request, state.id)
      return jsonReply({ id: state.id, url, offset: state.offset, filename: fileName })
    } finally {
      release()
    }
  }

  const finish: SystemHandler = async ({ request, parameters: [id = ''] }) => {
    const { id: accessId } = await authenticate(request)
    const { md5 } = await readJson(request, finishSchema, body)
    const state: UploadState = await registry.finishUpload({ accessId, id }, md5)
    const checksum = `md5:${md5.toLowerCase()}`
    return jsonReply({ id, file: urlOf(request, id), checksum, size: state.totalBytes })
  }

  const register: SystemHandler = async ({ request }) => {
    const access = await authenticate(request)
    const { name: id, chunked_upload, plugin, version, fields } = await readJson(request, modelSchema, body)
    const known = { ...fields, ...withoutAbsent({ plugin, plugin_version: version }) }
    const added = await registry.registerUpload({
      upload: { accessId: access.id, id: chunked_upload },
      actor: `access:${access.id}`,
      id,
      fields: known,
      publisher: access.rights === 'admin' ? null : access,
    })
    const { digest, sizeBytes } = added
    const record = { id, version: String(added.version), fields: known }
    const file = artifactUrl(request, digest)
    return jsonReply(modelReply({ record, digest, sizeBytes, tenant: access.tenant, file }), 201)
  }

  return { putChunk, finish, register }
}

function withoutAbsent(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
  )
}
