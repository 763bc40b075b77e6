/** What the pages of a scene hold: a client, and a way to ask through it from outside of the page. */
import {
  type AnyRoutes,
  type CallOptions,
  type Client,
  createClient,
  isIsoplexError,
  type LocalEngine,
  type LocalProgress,
  type Ran,
  type WebEngineOptions,
  webEngine,
} from 'isoplex/client'

/** How a page's client is made. */
export interface ConnectOptions {
  readonly baseUrl: string
  readonly token?: string
  /** What the engine in the page is made with. */
  readonly engine?: WebEngineOptions
}

/** A call of a function. */
export interface Question extends Pick<CallOptions, 'where' | 'timeoutMs'> {
  readonly name: string
  readonly input?: unknown
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, unknown>>
}

/** What came of a call: an output and how it ran, or an error. */
export interface Answer {
  /** Of a stream, all its items. */
  readonly output?: unknown
  readonly ran?: Ran
  readonly error?: { readonly code: string; readonly message: string; readonly details: unknown }
}

/** What tests do in a page. */
export interface Harness {
  /** Makes the client, in the place of the one before. */
  connect(options: ConnectOptions): void
  ask(question: Question): Promise<Answer>
  /** What was told of models on their way, from the first call on. */
  progress(): readonly LocalProgress[]
  clear(): Promise<void>
}

function makeHarness(): Harness {
  const progress: LocalProgress[] = []
  let local: LocalEngine
  let client: Client<AnyRoutes>
  const handleOf = (name: string): Client<AnyRoutes>[string] => {
    const handle = client[name]
    if (!handle) throw new Error('A client has a handle for every name.')
    return handle
  }
  return {
    connect({ engine, ...options }) {
      local = webEngine(engine)
      client = createClient({ ...options, local })
    },
    async ask({ name, ...call }) {
      const onProgress = (step: LocalProgress): void => void progress.push(step)
      try {
        const { output, ran } = await handleOf(name).call({ ...call, onProgress })
        return { output: isStream(output) ? await Array.fromAsync(output) : output, ran }
      } catch (error) {
        if (!isIsoplexError(error)) throw error
        return { error: { code: error.code, message: error.message, details: error.details } }
      }
    },
    progress: () => progress,
    clear: () => local.clear(),
  }
}

function isStream(output: unknown): output is AsyncIterable<unknown> {
  return typeof output === 'object' && output !== null && Symbol.asyncIterator in output
}

Object.assign(globalThis, { harness: makeHarness() })
