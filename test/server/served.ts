import { createHash } from 'node:crypto'
import { describeFunction } from '../../runtime/build/describe.ts'
import type { FunctionManifest } from '../../runtime/build/manifest.ts'
import type { FunctionLog } from '../../runtime/define/context.ts'
import type { Definition } from '../../runtime/define/definition.ts'
import type { ModelRecord } from '../../runtime/model/backend.ts'
import { type Deployment, toDeployment } from '../../runtime/replica/deployment.ts'
import { Tallies } from '../../runtime/replica/tallies.ts'
import type { Answer, Work } from '../../runtime/replica/ticket.ts'
import { BodyBudget } from '../../runtime/server/body.ts'
import type { ExchangeOptions } from '../../runtime/server/exchange.ts'
import { createModelAccess, type ModelSource } from '../../runtime/server/model-access.ts'

/** A line of a log. */
export interface LogEntry {
  readonly level: keyof FunctionLog
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>> | undefined
}

/** What requests for functions are answered with, and what became of them. */
export interface Surroundings {
  readonly exchange: ExchangeOptions
  /** What was handed on to be answered, in that order. */
  readonly works: readonly Work[]
  readonly log: readonly LogEntry[]
  /** The requests whose connections are held open now. */
  readonly held: ReadonlySet<Request>
}

/** What the gateway knows of a function in `functions/`. */
export function manifestOf(functionFile: string, definition: Definition): FunctionManifest {
  const file = `functions/${functionFile}`
  return describeFunction(definition, {
    file,
    functionFile,
    bundle: 'bundle-0123456789abcdef.js',
    sources: [file],
  })
}

/** The deployment of a function where nothing is configured. */
export function deploymentOf(manifest: FunctionManifest): Deployment {
  const defaults = { maxModelsPerReplica: 3, maxOngoingRequests: 64, requestTimeoutMs: 30_000 }
  return toDeployment(manifest, '/bundles', defaults)
}

/** A source that knows every model, and confirms every tenant. */
export function sourceOfEverything(overrides: Partial<ModelSource> = {}): ModelSource {
  return {
    find: async ({ modelId, tenant }) => ({ tenant, versions: [{ weight: 1, record: recordOf(modelId) }] }),
    confirm: async ({ tenant }) => tenant,
    prepare: async ({ id, version, artifact, fields }, tenant) => ({
      key: `embedded//${id}@${version}`,
      digest: artifact.digest ?? '',
      bytes: 0,
      info: { ...fields, id, version: version ?? '', path: '/models', tenant },
    }),
    ...overrides,
  }
}

/** A version of a model whose artifact is in the store. */
export function recordOf(id: string, version = '1'): ModelRecord {
  const digest = createHash('sha256').update(`${id} ${version}`).digest('hex')
  return {
    id,
    version,
    artifact: { digest, url: null, checksum: null, sizeBytes: 1, stamp: digest },
    fields: {},
  }
}

/** Surroundings in which every token is refused, every model is found, and `answer` answers. */
export function surround(
  answer: (work: Work) => Answer | Promise<Answer> = answerWith('ok'),
  overrides: Partial<ExchangeOptions> = {},
): Surroundings {
  const works: Work[] = []
  const log: LogEntry[] = []
  const held = new Set<Request>()
  const write =
    (level: keyof FunctionLog) =>
    (message: string, fields?: Readonly<Record<string, unknown>>): void =>
      void log.push({ level, message, fields })
  return {
    works,
    log,
    held,
    exchange: {
      authorizer: {
        verifier: { verify: () => Promise.reject(new Error('there is no token')) },
        models: createModelAccess(sourceOfEverything()),
        trustsLoopback: false,
      },
      scheduler: {
        async submit(work) {
          works.push(work)
          return await answer(work)
        },
      },
      tallies: new Tallies(),
      budget: new BodyBudget(1_000_000),
      bodyLimits: { maxBytes: 100_000, timeoutMs: 1_000 },
      routePrefix: '',
      log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
      connections: { hold: (request) => held.add(request), release: (request) => held.delete(request) },
      closing: () => false,
      ...overrides,
    },
  }
}

/** Answers everything alike. */
export function answerWith(
  body: string | Answer['body'],
  status = 200,
  headers: Answer['headers'] = [],
): () => Answer {
  return () => ({ status, headers, body: typeof body === 'string' ? new TextEncoder().encode(body) : body })
}
