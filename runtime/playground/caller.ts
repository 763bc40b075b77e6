import {
  type AnyRoutes,
  type Client,
  type CallOptions as ClientCallOptions,
  createClient,
  type JobHandle,
  type Jobs,
  type LocalEngine,
  type LocalProgress,
  type Ran,
  type Where,
} from 'isoplex/client'
import type { Draft } from './call.ts'
import type { CatalogFunction } from './catalog.ts'

/** An answer, and what computed it. */
export interface Answer {
  readonly output: unknown
  readonly ran: Ran
}

/** How one call is made. */
export interface CallOptions {
  readonly where: Where
  readonly signal: AbortSignal
  readonly onProgress: (progress: LocalProgress) => void
  /** Hears the items of an answer that is a stream: those that came since it was last told. */
  readonly onItems: (items: readonly unknown[]) => void
}

/** Calls functions of one server with one token. */
export interface Caller {
  /**
   * Calls a function; of a stream, waits until it has ended.
   *
   * @throws {IsoplexError} as the handles of {@link createClient}.
   */
  call(fn: CatalogFunction, draft: Draft, options: CallOptions): Promise<Answer>
  /** Submits a job of an action. @throws {IsoplexError} as the handles of {@link createClient}. */
  submit(fn: CatalogFunction, draft: Draft): Promise<JobHandle>
  readonly jobs: Jobs
}

/** What calls are made with. */
export interface CallerOptions {
  readonly baseUrl: string
  /** The model token; empty for none. */
  readonly token: string
  /** What answers in this page. */
  readonly local: LocalEngine
}

/** Items of a stream are told together this often, lest a quick one keeps the page from showing them. */
const tellingMs = 50

/** Makes what calls functions. A call is made once: what fails is shown, not tried again. */
export function createCaller({ baseUrl, token, local }: CallerOptions): Caller {
  const client = createClient({ baseUrl, token: token === '' ? undefined : token, local, retries: 0 })
  // Jobs take their time, in which a connection may break off; and a job that is submitted twice is one.
  const patient = createClient({ baseUrl, token: token === '' ? undefined : token })
  return {
    jobs: patient.jobs,
    submit: async (fn, { params, input }) =>
      handleOf(patient, fn).submit(input, params === undefined ? {} : { params: params as Texts }),
    async call(fn, draft, options) {
      const handle = handleOf(client, fn)
      const { output, ran } = await (fn.kind === 'inference'
        ? handle.infer(draft.input, partsOf(draft, options))
        : handle.call({ ...partsOf(draft, options), input: draft.input }))
      if (!isStream(output)) return { output, ran }
      return { output: await tellItems(output, options), ran }
    },
  }
}

type AnyClient = Client<AnyRoutes>

function handleOf(client: AnyClient, { name }: CatalogFunction): NonNullable<AnyClient[string]> {
  const handle = client[name]
  if (handle === undefined) throw new TypeError(`There is no function "${name}".`)
  return handle
}

type Texts = Readonly<Record<string, string>>

/** A client writes numbers and lists of a query as texts itself, whatever the types of unknown functions say. */
function partsOf(
  { params, query }: Draft,
  { where, signal, onProgress }: CallOptions,
): ClientCallOptions & { readonly params?: Texts; readonly query?: Texts } {
  return {
    where,
    signal,
    onProgress,
    ...(params === undefined ? {} : { params: params as Texts }),
    ...(query === undefined ? {} : { query: query as Texts }),
  }
}

/** Tells the items of a stream as they come, and gives how many there were. */
async function tellItems(stream: AsyncIterable<unknown>, { onItems }: CallOptions): Promise<unknown> {
  let untold: unknown[] = []
  let timer: ReturnType<typeof setTimeout> | null = null
  let items = 0
  const tell = (): void => {
    timer = null
    if (untold.length > 0) onItems(untold)
    untold = []
  }
  try {
    for await (const item of stream) {
      items += 1
      untold.push(item)
      timer ??= setTimeout(tell, tellingMs)
    }
    return { items }
  } finally {
    if (timer !== null) clearTimeout(timer)
    tell()
  }
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
