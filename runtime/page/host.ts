import { FailureMemory } from '../cache/failure-memory.ts'
import type { FunctionLog } from '../define/context.ts'
import type { Definition } from '../define/definition.ts'
import type { Engine } from '../engine/engine.ts'
import { type AnyIsoplexError, isIsoplexError } from '../error/error.ts'
import { loadFailure } from '../runner/load-failure.ts'
import { callerGone } from '../runner/open-request.ts'
import type { ArtifactStore } from './artifact.ts'
import { FunctionModules, type PageModule } from './function-modules.ts'
import { Grants } from './grants.ts'
import type { PageMessage, RequestMessage } from './message.ts'
import { type MessagePost, refusal } from './message-sink.ts'
import type { PageModel } from './model.ts'
import type { ModelFolders } from './model-folders.ts'
import { ModelLoading } from './model-loading.ts'
import { importedModule, PageCalls } from './page-calls.ts'
import { Residence } from './residence.ts'
import { Resident } from './resident.ts'

/** What a host needs of its surroundings. */
export interface PageHostOptions {
  readonly engine: Engine
  readonly artifacts: ArtifactStore
  /** Where the engine reads the files of models from. */
  readonly folders: ModelFolders
  readonly log: FunctionLog
  /** Sends a message to the page. */
  readonly post: MessagePost
  /** The most bytes of models that are kept loaded. */
  readonly maxModelBytes: number
  /**
   * Called when a model is `asked` for and, once it is `granted`, before it is brought: the engine may come up
   * meanwhile. @default nothing
   */
  readonly prepare?: (stage: 'asked' | 'granted') => void
}

/**
 * What a page's worker is: it takes the requests of its page, loads functions and models as these need them, and
 * answers as a server's replica does. Each function comes up once for each model, however many wait for it, and a
 * request is answered by the very model that its grant named.
 */
export class PageHost {
  readonly #options: PageHostOptions
  readonly #modules: FunctionModules
  readonly #grants = new Grants()
  readonly #calls: PageCalls
  readonly #loading: ModelLoading
  readonly #residence: Residence
  readonly #failures = new FailureMemory<AnyIsoplexError>({
    firstMs: 1_000,
    longestMs: 60_000,
    maxKeys: 1_000,
  })
  /** Requests whose function or model is not known yet. */
  readonly #arriving = new Set<number>()
  /** What downloads for those who come up, and may be ended. */
  readonly #downloads = new Map<Resident, AbortController>()

  constructor(options: PageHostOptions) {
    const { log, maxModelBytes } = options
    this.#options = options
    this.#modules = new FunctionModules(log)
    this.#calls = new PageCalls({
      post: options.post,
      request: (message) => void this.#arrive(message),
      cancel: (id) => this.#cancel(id),
      credit: (id, bytes) => this.#credit(id, bytes),
      definitionOf: (url, name) => this.#modules.importedBy(url, name),
    })
    this.#loading = new ModelLoading({ ...options, grants: this.#grants, calls: this.#calls })
    this.#residence = new Residence({
      maxModelBytes,
      failed: ({ options: { name } }, error) =>
        log.error('A function could not be taken down', { function: name, error }),
    })
  }

  /** Takes a message of the page. */
  receive(message: PageMessage): void {
    if (message.kind === 'request') {
      this.#calls.note(message)
      void this.#arrive(message)
    } else if (message.kind === 'cancel') this.#cancel(message.id)
    else if (message.kind === 'clear') void this.#clear()
    else if (message.kind === 'credit') this.#credit(message.id, message.bytes)
  }

  /** Notes why a model, named by a file of its own, does not compute on the provider that was wished for. */
  fellBack(location: string, reason: string): void {
    for (const resident of this.#residentsAt(location)) resident.reason = reason
  }

  /** Tells those who wait for a model, named by a file of its own, that it is being compared with another provider. */
  verifies(location: string): void {
    for (const resident of this.#residentsAt(location)) resident.report('verify', 0, resident.bytes)
  }

  *#residentsAt(location: string): Generator<Resident> {
    for (const resident of this.#residence.all()) {
      if (resident.path !== null && location.startsWith(`${resident.path}/`)) yield resident
    }
  }

  #credit(id: number, bytes: number): void {
    for (const resident of this.#residence.all()) resident.credit(id, bytes)
  }

  async #clear(): Promise<void> {
    await this.#options.artifacts.clear().catch((error: unknown) => {
      this.#options.log.warn('What is kept of models could not be removed', { error })
    })
  }

  async #arrive(message: RequestMessage): Promise<void> {
    const { id, name, moduleUrl, hasModel } = message
    const arrivedMs = performance.now()
    this.#arriving.add(id)
    if (hasModel) this.#options.prepare?.('asked')
    try {
      const [module, model] = await Promise.all([
        this.#modules.get(name, moduleUrl),
        hasModel ? this.#grants.ask(message) : null,
      ])
      if (!this.#arriving.delete(id)) return
      this.#residentFor(message, module, model).add(message, arrivedMs)
      this.#bringNodes(message, module)
    } catch (error) {
      this.#arriving.delete(id)
      this.#calls.post(refusal(id, error), [])
    }
  }

  /** Has the models of a graph's nodes come up side by side, before the nodes ask for them. */
  #bringNodes(message: RequestMessage, { definition: { graph }, names }: PageModule): void {
    for (const { work } of graph?.nodes ?? []) {
      if (work.kind !== 'function' || !work.definition.model) continue
      const name = names.get(work.definition)
      if (name === undefined) continue
      const moduleUrl = importedModule(message.moduleUrl, name)
      const { askedModel: _, ...asking } = message
      const { model } = work.options
      const asked = model === undefined ? {} : { askedModel: model }
      // What goes wrong, the node's own call meets and tells.
      this.#bring({ ...asking, ...asked, graph: message.name, name, moduleUrl, hasModel: true }).catch(
        () => undefined,
      )
    }
  }

  async #bring(message: RequestMessage): Promise<void> {
    const [module, model] = await Promise.all([
      this.#modules.get(message.name, message.moduleUrl),
      this.#grants.ask(message),
    ])
    this.#residentFor(message, module, model)
  }

  #cancel(id: number): void {
    if (this.#arriving.delete(id)) {
      this.#calls.post(refusal(id, callerGone()), [])
      return
    }
    for (const resident of this.#residence.all()) if (resident.cancel(id)) return
  }

  #residentFor(message: RequestMessage, module: PageModule, model: PageModel | null): Resident {
    const { name, moduleUrl, baseUrl } = message
    const key = JSON.stringify([moduleUrl, baseUrl, model?.key ?? null])
    const known = this.#residence.get(key)
    if (known) return known
    const failure = this.#failures.get(key, performance.now())
    if (failure) throw failure
    const { log } = this.#options
    const { post } = this.#calls
    const { definition, names } = module
    const nameOf = (fn: Definition): string | null => names.get(fn) ?? null
    const emptied = (resident: Resident): void => this.#emptied(resident)
    const resident = new Resident({ key, name, definition, nameOf, model, log, post, emptied })
    this.#residence.assertFits(resident)
    this.#residence.add(resident)
    if (model) this.#options.prepare?.('granted')
    void this.#comeUp(resident, message)
    return resident
  }

  async #comeUp(resident: Resident, question: RequestMessage): Promise<void> {
    const { key } = resident.options
    const download = new AbortController()
    this.#downloads.set(resident, download)
    const begin = (): void => {
      this.#downloads.delete(resident)
      this.#residence.assertFits(resident)
    }
    try {
      const up = await this.#loading.comeUp(resident, { question, signal: download.signal, begin })
      this.#failures.delete(key)
      this.#residence.makeRoomFor(resident)
      resident.comeUp(up)
    } catch (error) {
      this.#downloads.delete(resident)
      this.#residence.remove(resident)
      if (!download.signal.aborted) this.#failed(resident, error)
    }
  }

  #failed(resident: Resident, error: unknown): void {
    const { key, name, model } = resident.options
    if (!isIsoplexError(error)) {
      this.#options.log.error('A function could not come up', { function: name, model: model?.id, error })
    }
    const failure = loadFailure(error, { name, model: model?.id ?? null, log: "the page's console" })
    // What the network or a link's end keeps back may come the next moment.
    const isLasting = !failure.retryable && failure.code !== 'GRANT_INVALID'
    if (isLasting) this.#failures.add(key, failure, performance.now())
    resident.fail(failure)
  }

  /** Ends a download that nobody waits for any more. */
  #emptied(resident: Resident): void {
    const download = this.#downloads.get(resident)
    if (!download) return
    this.#downloads.delete(resident)
    this.#residence.remove(resident)
    download.abort(callerGone())
  }
}
