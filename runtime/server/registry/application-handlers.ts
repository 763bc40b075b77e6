import { type Static, Type } from '@sinclair/typebox'
import { IsoplexError } from '../../error/error.ts'
import type { AccessRights, CheckedAccess } from '../../model/access-table.ts'
import type { ApplicationOptions, RegisteredApplication } from '../../model/application-table.ts'
import { invalidInput } from '../../runner/refusal.ts'
import { requireAccess } from '../access.ts'
import { readJson } from '../json-body.ts'
import { jsonReply } from '../reply.ts'
import type { SystemHandler } from '../system-route.ts'
import type { RegistryOptions } from './service.ts'

const anyRecord = Type.Record(Type.String(), Type.Unknown())

/** Both bodies that clients of Synapse send, `{ job, status, data }` and `{ name, plugin_release, action, … }`. */
const applicationSchema = Type.Object(
  {
    job: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 128 }), Type.Integer()])),
    status: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()])),
    data: Type.Optional(anyRecord),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    plugin_release: Type.Optional(Type.Integer()),
    action: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    params: Type.Optional(Type.Union([anyRecord, Type.Null()])),
    num_replicas: Type.Optional(Type.Union([Type.Integer({ minimum: 0 }), Type.Null()])),
  },
  { additionalProperties: false },
)

/** The handlers by which a client of Synapse registers what it has deployed, and finds it again. */
export interface ApplicationHandlers {
  readonly register: SystemHandler
  /** All applications of the client's tenant; an administrator's are those of all tenants. */
  readonly list: SystemHandler
  /** One application, by its id. */
  readonly show: SystemHandler
}

/** Makes the handlers of deployed applications. To register one takes the right to publish. */
export function createApplicationHandlers({ registry, body }: RegistryOptions): ApplicationHandlers {
  const authenticate = ({ headers }: Request, rights: AccessRights): Promise<CheckedAccess> =>
    requireAccess(headers, { rights, synapse: true }, registry.checkAccess)
  const listFor = ({ rights, tenant }: CheckedAccess): Promise<readonly RegisteredApplication[]> =>
    registry.listApplications(rights === 'admin' ? 'all' : { tenant })

  return {
    async register({ request }) {
      const { id, tenant } = await authenticate(request, 'publish')
      const given = await readJson(request, applicationSchema, body)
      const application = await registry.registerApplication({
        actor: `access:${id}`,
        tenant,
        ...applicationOf(given),
      })
      return jsonReply(applicationReply(application), 201)
    },
    async list({ request }) {
      const results = (await listFor(await authenticate(request, 'use'))).map(applicationReply)
      return jsonReply({ count: results.length, next: null, results })
    },
    async show({ request, parameters: [id = ''] }) {
      const found = (await listFor(await authenticate(request, 'use'))).find((one) => String(one.id) === id)
      if (!found) throw applicationMissing(id)
      return jsonReply(applicationReply(found))
    },
  }
}

/** @throws {IsoplexError} `INPUT_INVALID` where it is neither of the two bodies, whole. */
function applicationOf(given: Static<typeof applicationSchema>): Omit<ApplicationOptions, 'tenant'> {
  const { job, status, data, name, plugin_release, action, params, num_replicas } = given
  const isModelled = name !== undefined || plugin_release !== undefined || action !== undefined
  const needed = isModelled ? { name, plugin_release, action } : { job, data }
  for (const [member, value] of Object.entries(needed)) {
    if (value === undefined) throw invalidInput(`/${member}`, 'Expected to be there')
  }
  return {
    name: name ?? nameIn(data) ?? `job ${job}`,
    facts: {
      job: job ?? null,
      status: status ?? null,
      data: data ?? null,
      plugin_release: plugin_release ?? null,
      action: action ?? null,
      params: params ?? null,
      num_replicas: isModelled ? (num_replicas ?? 1) : null,
    },
  }
}

function applicationMissing(id: string): IsoplexError<'ENTRY_NOT_FOUND'> {
  const message = `No application of the number ${JSON.stringify(id)} is registered.`
  return new IsoplexError('ENTRY_NOT_FOUND', message, { details: { entry: id } })
}

function nameIn(data: Readonly<Record<string, unknown>> | undefined): string | null {
  const name = data?.name
  return typeof name === 'string' && name !== '' ? name : null
}

function applicationReply({ id, name, tenant, facts }: RegisteredApplication): Record<string, unknown> {
  return { id, name, tenant, ...facts }
}
