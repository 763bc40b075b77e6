import type { ModelInfo } from '../define/context.ts'
import type { Engine, Session } from '../engine/engine.ts'
import { IsoplexError } from '../error/error.ts'
import { createCallPlacement } from '../runner/call-placement.ts'
import type { CallTransport } from '../runner/call-transport.ts'
import { FunctionHandles } from '../runner/function-handles.ts'
import { type FunctionToLoad, type LoadedFunction, loadFunction } from '../runner/loaded-function.ts'
import type { ArtifactFolder, ArtifactStore } from './artifact.ts'
import { fetchPageInput } from './fetched-input.ts'
import type { GrantQuestion, Grants } from './grants.ts'
import type { PageModel } from './model.ts'
import type { ModelFolders } from './model-folders.ts'
import type { ComeUp, Resident } from './resident.ts'

/** What models are loaded with. */
export interface ModelLoadingOptions {
  readonly engine: Engine
  readonly artifacts: ArtifactStore
  readonly folders: ModelFolders
  readonly grants: Grants
  /** Takes calls to the other functions of the page. */
  readonly calls: CallTransport
}

/** One coming up. */
export interface Loading {
  readonly question: GrantQuestion
  /** Ends the download. */
  readonly signal: AbortSignal
  /** Called when all is there, with its size known, and what follows cannot be ended; it may refuse. */
  readonly begin: () => void
}

/** Brings functions up with their models: artifacts are downloaded side by side, and loaded one after the other. */
export class ModelLoading {
  readonly #options: ModelLoadingOptions
  #tail: Promise<unknown> = Promise.resolve()

  constructor(options: ModelLoadingOptions) {
    this.#options = options
  }

  /**
   * Brings a resident up. What fails leaves nothing behind.
   *
   * @throws {unknown} whatever the store, the engine or the function's own code fails with.
   */
  async comeUp(resident: Resident, loading: Loading): Promise<ComeUp> {
    const { model } = resident.options
    if (!model) {
      loading.begin()
      return this.#load(resident, null)
    }
    const folder = await this.#obtain(resident, model, loading)
    resident.bytes = Math.max(model.sizeBytes, folder.bytes)
    return this.#inTurn(async () => {
      loading.signal.throwIfAborted()
      loading.begin()
      resident.report('load', 0, folder.bytes)
      const path = this.#options.folders.hold(folder)
      resident.path = path
      const release = (): void => this.#options.folders.release(folder)
      try {
        return await this.#load(resident, infoOf(model, path), release)
      } catch (error) {
        release()
        throw error
      }
    })
  }

  #obtain(resident: Resident, model: PageModel, loading: Loading): Promise<ArtifactFolder> {
    const { artifacts, grants } = this.#options
    const { question, signal } = loading
    return artifacts.obtain(model, {
      baseUrl: question.baseUrl,
      signal,
      onProgress: (doneBytes, totalBytes) => resident.report('download', doneBytes, totalBytes),
      async renew() {
        grants.forget(question)
        const renewed = await grants.ask(question)
        if (renewed.key === model.key) return renewed
        // Those who wait were promised another model than the token stands for by now.
        throw new IsoplexError('GRANT_INVALID', `The link to model "${model.id}" has ended; ask again.`)
      },
    })
  }

  async #load(resident: Resident, model: ModelInfo | null, release?: () => void): Promise<ComeUp> {
    const { name, definition, log } = resident.options
    const sessions: Session[] = []
    const engine = recording(this.#options.engine, sessions)
    const free = (): Promise<unknown> => Promise.allSettled(sessions.map((session) => session.dispose()))
    const shared = { engine, log, fetchInput: fetchPageInput }
    const handles = new FunctionHandles({
      ...shared,
      nameOf: resident.options.nameOf,
      place: createCallPlacement({ transport: this.#options.calls }),
    })
    const wanted: FunctionToLoad = { ...shared, name, definition, model, openHandle: handles.opener }
    try {
      return { loaded: freeing(await loadFunction(wanted), { handles, free, release }), sessions }
    } catch (error) {
      await handles.dispose()
      await free()
      throw error
    }
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#tail.then(work)
    this.#tail = turn.catch(() => undefined)
    return turn
  }
}

/** What a function is told of its model; the backend's own fields must not pass for ours. */
function infoOf({ id, version, fields }: PageModel, path: string): ModelInfo {
  return Object.freeze({ ...fields, id, version, path })
}

/** The engine with a record of what it loaded, so that nothing stays that a function forgets. */
function recording(engine: Engine, sessions: Session[]): Engine {
  return {
    name: engine.name,
    async load(location, options) {
      const session = await engine.load(location, options)
      sessions.push(session)
      return session
    },
  }
}

/** All that goes with a function. */
interface Belongings {
  readonly handles: FunctionHandles
  readonly free: () => Promise<unknown>
  readonly release: (() => void) | undefined
}

function freeing(loaded: LoadedFunction, { handles, free, release }: Belongings): LoadedFunction {
  return {
    facts: loaded.facts,
    async dispose() {
      try {
        await handles.dispose()
        await loaded.dispose()
      } finally {
        await free()
        release?.()
      }
    },
  }
}
