import type { CheckedAccess } from '../../model/access-table.ts'
import type { FoundModel, ModelQuestion, ModelRecord } from '../../model/backend.ts'
import { mayUse } from '../../model/rights.ts'
import { invalidInput } from '../../runner/refusal.ts'
import { readAccessToken, requireAccess } from '../access.ts'
import { jsonReply } from '../reply.ts'
import type { SystemHandler } from '../system-route.ts'
import { chooseVersion } from '../version-share.ts'
import { type ModelReply, modelReply } from './model-reply.ts'
import type { RegistryOptions } from './service.ts'

/** How many models a page has, unless asked otherwise, and at most. */
const pageSize = 100

/** The handlers by which a client of Synapse reads models. */
export interface ModelHandlers {
  /** A page of the models that the client's access gives. */
  readonly list: SystemHandler
  /** One model, by its id or by `id@version` or `id@alias`. */
  readonly show: SystemHandler
}

/** Makes the handlers of models: each client sees only those that its access gives. */
export function createModelHandlers({ registry, artifactUrl, originOf }: RegistryOptions): ModelHandlers {
  const authenticate = ({ headers }: Request): Promise<CheckedAccess> =>
    requireAccess(headers, { rights: 'use', synapse: true }, registry.checkAccess)

  const read = async (request: Request, access: CheckedAccess, modelId: string): Promise<ModelReply> => {
    const found = await registry.find(questionOf(request, access, modelId))
    const record = recordFor(found, `access:${access.id}`)
    const { digest, sizeBytes } = record.artifact
    if (digest === null) throw new Error('the registry has no digest of an artifact')
    const file = artifactUrl(request, digest)
    return modelReply({ record, digest, sizeBytes, tenant: found.tenant, file })
  }

  return {
    async list({ request }) {
      const access = await authenticate(request)
      const page = readPage(new URL(request.url).searchParams)
      const all = await registry.listModels({})
      const models = all.filter(({ id, tenant: owner }) => mayUse(access, { id, owner }))
      const start = (page.number - 1) * page.size
      const ids = models.slice(start, start + page.size).map(({ id }) => id)
      const results = await Promise.all(ids.map((id) => read(request, access, id)))
      const next = start + page.size < models.length ? nextUrl(originOf(request), page) : null
      return jsonReply({ count: models.length, next, results })
    },
    async show({ request, parameters: [name = ''] }) {
      return jsonReply(await read(request, await authenticate(request), name))
    },
  }
}

/** The registry checks the access once more, together with its right to the model. */
function questionOf({ headers }: Request, { tenant }: CheckedAccess, modelId: string): ModelQuestion {
  return { modelId, tenant, accessToken: readAccessToken(headers, true), proven: false }
}

/** Where several versions share a model's requests, one client gets the same one each time. */
function recordFor({ versions }: FoundModel, client: string): ModelRecord {
  const shares = versions.map(({ weight, record }) => ({ key: record.version ?? '', weight, record }))
  return chooseVersion(shares, client).record
}

interface Page {
  /** They count from 1. */
  readonly number: number
  readonly size: number
}

/** @throws {IsoplexError} `INPUT_INVALID` */
function readPage(query: URLSearchParams): Page {
  const read = (name: string, otherwise: number): number => {
    const text = query.get(name)
    if (text === null) return otherwise
    if (!/^[1-9]\d{0,8}$/.test(text)) throw invalidInput(`/${name}`, 'Expected a whole number from 1')
    return Number(text)
  }
  return { number: read('page', 1), size: Math.min(pageSize, read('page_size', pageSize)) }
}

function nextUrl(origin: string, { number, size }: Page): string {
  return `${origin}/-/registry/models/?page=${number + 1}&page_size=${size}`
}
