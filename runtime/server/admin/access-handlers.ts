import { invalidInput } from '../../runner/refusal.ts'
import { readJson } from '../json-body.ts'
import { jsonReply } from '../reply.ts'
import type { SystemHandler } from '../system-route.ts'
import type { AdministrationRoutesOptions } from './options.ts'
import { accessSchema, tenantSchema } from './schemas.ts'

/** What is done over HTTP to tenants and accesses, and what is told of what was done. */
export interface AccessHandlers {
  readonly listTenants: SystemHandler
  readonly addTenant: SystemHandler
  readonly revokeTenant: SystemHandler
  readonly listAccesses: SystemHandler
  readonly addAccess: SystemHandler
  readonly revokeAccess: SystemHandler
  readonly listAudit: SystemHandler
}

/** How many entries of the audit are told where nothing else is asked for. */
const auditEntries = 100

/** Makes the handlers of tenants, accesses and the audit. */
export function createAccessHandlers(options: AdministrationRoutesOptions): AccessHandlers {
  const { administration, identify, body } = options
  return {
    async listTenants({ request }) {
      await identify(request)
      return jsonReply({ tenants: await administration.listTenants({}) })
    },
    async addTenant({ request }) {
      const { actor } = await identify(request)
      const { name } = await readJson(request, tenantSchema, body)
      return jsonReply(await administration.addTenant({ actor, name }), 201)
    },
    async revokeTenant({ request, parameters: [name = ''] }) {
      const { actor } = await identify(request)
      return jsonReply(await administration.revokeTenant({ actor, name }))
    },
    async listAccesses({ request }) {
      await identify(request)
      return jsonReply({ accesses: await administration.listAccesses({}) })
    },
    async addAccess({ request }) {
      const { actor } = await identify(request)
      const given = await readJson(request, accessSchema, body)
      const least = { tenant: null, models: null, rights: 'use', label: '', expiresAtMs: null } as const
      return jsonReply(await administration.addAccess({ ...least, ...given, actor }), 201)
    },
    async revokeAccess({ request, parameters: [id = ''] }) {
      const { actor } = await identify(request)
      return jsonReply(await administration.revokeAccess({ actor, id: readCount(id, '/id') }))
    },
    async listAudit({ request }) {
      await identify(request)
      const query = new URL(request.url).searchParams
      const [limit, before] = [query.get('limit'), query.get('before')]
      const page = {
        limit: limit === null ? auditEntries : readCount(limit, '/limit'),
        ...(before === null ? {} : { before: readCount(before, '/before') }),
      }
      return jsonReply({ entries: await administration.listAudit(page) })
    },
  }
}

/** @throws {IsoplexError} `INPUT_INVALID` */
function readCount(text: string, path: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw invalidInput(path, 'Expected a whole number from 1')
}
