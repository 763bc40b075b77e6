import { FailureMemory } from '../cache/failure-memory.ts'
import type { FunctionLog } from '../define/context.ts'
import { type Definition, isDefinition } from '../define/definition.ts'
import { noteFunctionName } from '../define/function-name.ts'
import type { AnyIsoplexError } from '../error/error.ts'
import { IsoplexError, isIsoplexError } from '../error/error.ts'
import { type FunctionModule, functionNamesIn } from '../runner/function-names.ts'
import { importedModule } from './page-calls.ts'

/** A function, and the names of those that it imports from other function files. */
export interface PageModule {
  readonly definition: Definition
  readonly names: ReadonlyMap<Definition, string>
}

/** The modules of functions in this worker: each is imported once. */
export class FunctionModules {
  readonly #log: FunctionLog
  readonly #modules = new Map<string, Promise<PageModule>>()
  /** Those that have come, and the functions that came with them. */
  readonly #there = new Map<string, PageModule>()
  readonly #failures = new FailureMemory<AnyIsoplexError>({ firstMs: 1_000, longestMs: 60_000, maxKeys: 256 })
  #tries = 0

  constructor(log: FunctionLog) {
    this.#log = log
  }

  /**
   * The definition in a module. One that is broken is tried again after a while; one that the network keeps back, at
   * the next request.
   *
   * @throws {IsoplexError} `FUNCTION_BROKEN` where there is no such module, it throws or is no function; `FETCH_FAILED`
   * where the network keeps it back.
   */
  async get(name: string, url: string): Promise<PageModule> {
    const there = this.#there.get(url)
    if (there) return there
    const remembered = this.#failures.get(url, performance.now())
    if (remembered) throw remembered
    const known = this.#modules.get(url)
    if (known) return known
    const coming = this.#import(name, url)
    this.#modules.set(url, coming)
    try {
      return await coming
    } catch (error) {
      this.#modules.delete(url)
      if (isIsoplexError(error) && !error.retryable) this.#failures.add(url, error, performance.now())
      throw error
    }
  }

  /**
   * The function of this name that came with a module which imports it.
   *
   * @throws {IsoplexError} `FUNCTION_NOT_FOUND` where it may not run in a page.
   */
  importedBy(url: string, name: string): Definition {
    const there = this.#there.get(importedModule(url, name))
    if (there?.definition.runs?.includes('browser')) return there.definition
    throw new IsoplexError(
      'FUNCTION_NOT_FOUND',
      `Function "${name}" does not run in pages: its "runs" lacks 'browser'. Add it there, or call on the server.`,
      { details: { function: name } },
    )
  }

  async #import(name: string, url: string): Promise<PageModule> {
    // A browser remembers that a module failed by its URL, the fragment included.
    const fresh = this.#tries === 0 ? url : `${url}#${this.#tries}`
    let module: FunctionModule
    try {
      module = await import(/* @vite-ignore */ fresh)
    } catch (cause) {
      this.#tries += 1
      throw await this.#explain(name, url, cause)
    }
    if (isDefinition(module.default)) {
      const names = functionNamesIn(module).set(module.default, name)
      return this.#noteModule(url, module.default, names)
    }
    throw broken(name, 'has no default export made by a define… function')
  }

  #noteModule(url: string, definition: Definition, names: PageModule['names']): PageModule {
    const module = { definition, names }
    this.#there.set(url, module)
    for (const [imported, name] of names) {
      this.#there.set(importedModule(url, name), { definition: imported, names })
      noteFunctionName(imported, name)
    }
    return module
  }

  /** Why a module could not be imported: a browser says the same of a missing one and of a broken network. */
  async #explain(name: string, url: string, cause: unknown): Promise<AnyIsoplexError> {
    const reply = await fetch(url, { method: 'HEAD' }).catch(() => null)
    if (reply === null || reply.status >= 500) {
      const how = reply ? `answers with status ${reply.status}` : 'does not answer'
      return new IsoplexError(
        'FETCH_FAILED',
        `The module of function "${name}" cannot be had: its server ${how}.`,
        { details: { reason: reply ? 'status' : 'connection' }, cause },
      )
    }
    if (!reply.ok) return broken(name, `is missing: its server answers with status ${reply.status}`, cause)
    this.#log.error('The module of a function could not be imported', { function: name, error: cause })
    return broken(name, "could not be imported; the page's console has the reason", cause)
  }
}

function broken(name: string, what: string, cause?: unknown): IsoplexError<'FUNCTION_BROKEN'> {
  return new IsoplexError('FUNCTION_BROKEN', `The module of function "${name}" ${what}.`, { cause })
}
