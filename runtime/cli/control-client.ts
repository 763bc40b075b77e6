import { type ControlRequest, createAsk } from '../control/ask.ts'
import { fromProblem } from '../error/wire.ts'
import type { ReportingAdministration } from '../model/administration.ts'
import type { Progress, ProgressOptions } from '../model/progress.ts'
import type { StoreKeeping } from '../model/store-keeping.ts'
import { linesMediaType } from '../server/admin/progress-reply.ts'

/**
 * The administration of a running server, through its control socket. Whoever calls it is `local` for the audit,
 * whatever actor is given here.
 */
export function createControlClient(socketPath: string): ReportingAdministration & StoreKeeping {
  const ask = createAsk({ socketPath })
  const read = async <Value>(path: string, request?: ControlRequest): Promise<Value> => {
    const reply = await ask(path, request)
    // The server is of the same sources; what it answers is what it was asked for.
    return (reply.status === 204 ? undefined : await reply.json()) as Value
  }
  const list = async <Value>(name: string, query = ''): Promise<readonly Value[]> => {
    const reply = await read<Readonly<Record<string, readonly Value[]>>>(`/-/${query || name}`)
    return reply[name] ?? []
  }
  const change = <Value>(method: string, path: string, json?: unknown): Promise<Value> =>
    read<Value>(path, json === undefined ? { method } : { method, json })
  const work = async <Value>(
    path: string,
    json: unknown,
    onProgress: ProgressOptions['onProgress'],
  ): Promise<Value> => {
    const headers = { accept: linesMediaType }
    return await readOutcome(await ask(path, { method: 'POST', json, headers }), onProgress)
  }
  return Object.freeze<ReportingAdministration & StoreKeeping>({
    listModels: () => list('models'),
    showModel: ({ id }) => read(at`/-/models/${id}`),
    addModel: ({ id, source, fields, tenant, onProgress }) =>
      work('/-/models', { id, source, fields, tenant }, onProgress),
    removeModel: ({ id, version }) =>
      change('DELETE', at`/-/models/${version === null ? id : `${id}@${version}`}`),
    setAlias: ({ id, alias, targets }) => change('PUT', at`/-/models/${id}/aliases/${alias}`, { targets }),
    removeAlias: ({ id, alias }) => change('DELETE', at`/-/models/${id}/aliases/${alias}`),
    listTenants: () => list('tenants'),
    addTenant: ({ name }) => change('POST', '/-/tenants', { name }),
    revokeTenant: ({ name }) => change('DELETE', at`/-/tenants/${name}`),
    listAccesses: () => list('accesses', 'access'),
    addAccess: ({ actor: _, ...access }) => change('POST', '/-/access', access),
    revokeAccess: ({ id }) => change('DELETE', at`/-/access/${String(id)}`),
    checkAccess: () => notAsked('checkAccess'),
    noteResidency: () => notAsked('noteResidency'),
    listTransfers: () => list('transfers', 'models'),
    verifyStore: async ({ remove }) => {
      const { broken } = await read<VerifyReply>('/-/store/verify', { method: 'POST', json: { remove } })
      return broken
    },
    pullModel: async ({ id, tenant, onProgress }) => {
      const { pulled } = await work<PullReply>('/-/store/pull', { id, tenant }, onProgress)
      return pulled
    },
    pruneStore: ({ maxBytes }) => change('POST', '/-/store/prune', { maxBytes }),
    listAudit: ({ limit, before }) => {
      const query = before === undefined ? '' : `&before=${before}`
      return list('entries', `audit?limit=${limit}${query}`)
    },
  })
}

/** What the server says of a store that was verified. */
interface VerifyReply {
  readonly broken: Awaited<ReturnType<StoreKeeping['verifyStore']>>
}

/** What the server says of a model that was pulled. */
interface PullReply {
  readonly pulled: Awaited<ReturnType<StoreKeeping['pullModel']>>
}

/** What the server does by itself, and not because a command asks for it. */
function notAsked(name: string): Promise<never> {
  return Promise.reject(new TypeError(`"${name}" is not asked through the control socket.`))
}

/** Writes a path with whatever texts in it. */
function at(parts: TemplateStringsArray, ...texts: readonly string[]): string {
  return String.raw({ raw: parts }, ...texts.map(encodeURIComponent))
}

/** The lines of a reply to long work, as the server writes them. */
interface Line {
  readonly progress?: Progress
  readonly result?: unknown
  readonly problem?: unknown
}

async function readOutcome<Value>(
  reply: Response,
  onProgress: ((progress: Progress) => void) | undefined,
): Promise<Value> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of reply.body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const { progress, result, problem }: Line = JSON.parse(line)
      if (problem !== undefined)
        throw fromProblem(problem) ?? new Error('The server told of a problem that is none.')
      if (progress !== undefined) onProgress?.(progress)
      else return result as Value
    }
  }
  throw new Error('The server ended before it had answered.')
}
