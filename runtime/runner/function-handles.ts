import type { FunctionLog, ModelInfo } from '../define/context.ts'
import { type Definition, isDefinition } from '../define/definition.ts'
import { unnamedFunction } from '../define/function-name.ts'
import type { FunctionHandle, HandleOptions, OpenHandle } from '../define/handle.ts'
import type { Engine } from '../engine/engine.ts'
import type { CallerModel, CallSource, HandleOpener, InputFetch } from './call.ts'
import { type Callee, createHandle } from './handle.ts'
import { loadFailure } from './load-failure.ts'
import { type HeldModel, type LoadedFunction, loadFunction } from './loaded-function.ts'
import { createLocalCallee } from './local-function.ts'

/** A model with which a function answers beside its caller. */
export interface LocalModel {
  /** Tells the models of one function apart. */
  readonly key: unknown
  readonly prepare: () => Promise<ModelInfo>
  /** The model itself, where it is loaded already; whoever has loaded it frees it. */
  readonly held?: HeldModel
}

/** A function that is called. */
export interface CalledFunction {
  readonly definition: Definition
  /** The name under which it is known everywhere; `null` where it comes from no function file. */
  readonly name: string | null
}

/** What the functions need that are called from one runner, action or page. */
export interface FunctionHandlesOptions {
  /** The name of a function that comes from a function file; `null` of any other. */
  readonly nameOf: (definition: Definition) => string | null
  /**
   * The model with which a function answers beside its caller, `null` where it needs none; or else what answers it in
   * another runner, which may refuse.
   */
  readonly place: (fn: CalledFunction, options: HandleOptions, opening: Opening) => LocalModel | null | Callee
  readonly engine: Engine
  readonly log: FunctionLog
  readonly fetchInput: InputFetch
}

/** For whom a handle is opened. */
export interface Opening {
  readonly source: CallSource
  readonly caller: CallerModel | null
}

/** What answers beside its caller, and loads it; the same one each time. */
interface LoadedCallee {
  readonly callee: Callee
  readonly load: () => Promise<LoadedFunction>
}

/** The functions that others call. What answers beside its caller is loaded once for each of its models. */
export class FunctionHandles {
  readonly #options: FunctionHandlesOptions
  /** By function, then by the model's key; `null` is that of functions without a model. */
  readonly #local = new Map<Definition, Map<unknown, LoadedCallee>>()
  readonly #loaded = new Set<Promise<LoadedFunction>>()

  constructor(options: FunctionHandlesOptions) {
    this.#options = options
  }

  /**
   * Makes what opens handles in the name of a request. What answers beside its caller is loaded by its first call. A handle
   * is refused with a `TypeError` where it is of no function that can be called so, or an option names what that does not
   * have, and with whatever the place refuses it with.
   */
  readonly opener: HandleOpener = (source, caller) =>
    // The types of a definition are those of its schemas, to which every call is held.
    ((fn: unknown, options: HandleOptions = {}) => this.#open(fn, options, { source, caller })) as OpenHandle

  /** The name of a function that comes from a function file; `null` of any other. */
  nameOf(definition: Definition): string | null {
    return this.#options.nameOf(definition)
  }

  /** Loads a function that answers beside its callers ahead of its first call; `null` is one without a model. */
  async load(definition: Definition, model: LocalModel | null): Promise<void> {
    await this.#beside({ definition, name: this.nameOf(definition) }, model).load()
  }

  /** Frees all that was loaded. What fails does not keep the rest from being freed. */
  async dispose(): Promise<void> {
    const loaded = [...this.#loaded]
    this.#loaded.clear()
    this.#local.clear()
    const settled = await Promise.allSettled(
      loaded.map(async (loading) => {
        const up = await loading.catch(() => null)
        await up?.dispose()
      }),
    )
    for (const outcome of settled) {
      if (outcome.status === 'rejected') {
        this.#options.log.error('A function could not be taken down', { error: outcome.reason })
      }
    }
  }

  #open(
    fn: unknown,
    options: HandleOptions,
    opening: Opening,
  ): FunctionHandle<unknown, unknown, unknown, unknown> {
    const definition = assertCallableFunction(fn)
    if (options.model !== undefined && !definition.model) {
      throw new TypeError(`"model" names the model of a function without one; got ${options.model}.`)
    }
    const called = { definition, name: this.#options.nameOf(definition) }
    const place = this.#options.place(called, options, opening)
    const callee = place !== null && 'answer' in place ? place : this.#beside(called, place).callee
    return createHandle(callee, opening.source)
  }

  #beside(fn: CalledFunction, model: LocalModel | null): LoadedCallee {
    const { definition } = fn
    const name = fn.name ?? definition.name ?? unnamedFunction
    const byModel = this.#local.get(definition) ?? new Map<unknown, LoadedCallee>()
    this.#local.set(definition, byModel)
    const known = byModel.get(model?.key ?? null)
    if (known) return known
    let loading: Promise<LoadedFunction> | null = null
    const load = (): Promise<LoadedFunction> => {
      if (loading) return loading
      const fresh = this.#comeUp(definition, name, model)
      loading = fresh
      this.#loaded.add(fresh)
      // What did not come up is tried again by the next call.
      fresh.catch(() => {
        loading = null
        this.#loaded.delete(fresh)
      })
      return fresh
    }
    const local = { callee: createLocalCallee({ name, definition, load }), load }
    byModel.set(model?.key ?? null, local)
    return local
  }

  async #comeUp(definition: Definition, name: string, model: LocalModel | null): Promise<LoadedFunction> {
    const { engine, log, fetchInput } = this.#options
    const info = model ? await model.prepare() : null
    try {
      return await loadFunction({
        name,
        definition,
        model: info,
        ...(model?.held ? { held: model.held } : {}),
        engine,
        log,
        fetchInput,
        openHandle: this.opener,
      })
    } catch (error) {
      const id = info?.id ?? null
      log.error('A function could not be loaded', { function: name, model: id, error })
      throw loadFailure(error, { name, model: id, log: "the server's log" })
    }
  }
}

function assertCallableFunction(value: unknown): Definition {
  if (!isDefinition(value)) {
    throw new TypeError('handle() takes what defineFunction, defineInference or defineGraph has made.')
  }
  if (value.kind !== 'action') return value
  throw new TypeError('handle() takes no action: an action is a job of its own.')
}
