/** A worker that does with a store of artifacts what a test tells it. */
import { isIsoplexError } from '../../runtime/error/error.ts'
import type { ArtifactFolder } from '../../runtime/page/artifact.ts'
import { createArtifactStore, type UnkeptArtifact } from '../../runtime/page/artifact-store.ts'
import { createKeptFacts } from '../../runtime/page/kept-facts.ts'
import type { PageModel } from '../../runtime/page/model.ts'
import { sha256Of } from '../../runtime/page/sha256.ts'

/** What a test has a worker do, and what it is told. */
export interface WorkerMethods {
  open(options: { readonly maxKeptBytes?: number; readonly idleTimeoutMs?: number }): Promise<void>
  obtain(wanted: WantedArtifact): Promise<ObtainedArtifact>
  /** Ends the obtaining of an artifact by its digest. */
  abort(digest: string): Promise<void>
  /** Reads a file, and gives its SHA-256. */
  read(file: { readonly digest: string; readonly name: string }): Promise<string>
  /** Lets an artifact go, and all that nobody has any more. */
  forget(digest: string): Promise<void>
  clear(): Promise<void>
  setFact(fact: { readonly key: string; readonly value: unknown }): Promise<void>
  getFact(key: string): Promise<unknown>
  clearFacts(): Promise<void>
  /** Takes from this worker what a browser takes from pages that did not come over https. */
  becomeInsecure(): Promise<void>
}

/** An artifact to be obtained. */
export interface WantedArtifact {
  readonly model: PageModel
  readonly baseUrl: string
  /** The answer to who asks for a new link. */
  readonly renewed?: PageModel
}

/** What a test hears of an artifact that was obtained. */
export interface ObtainedArtifact {
  readonly names: readonly string[]
  readonly bytes: number
  readonly progress: readonly number[]
  readonly unkept: readonly UnkeptArtifact[]
  readonly renewals: number
}

const unkept: UnkeptArtifact[] = []
const folders = new Map<string, ArtifactFolder>()
const controllers = new Map<string, AbortController>()
const facts = createKeptFacts('test')
let store = createArtifactStore()

const methods: WorkerMethods = {
  async open(options) {
    store = createArtifactStore({ ...options, onUnkept: (artifact) => void unkept.push(artifact) })
  },
  async obtain({ model, baseUrl, renewed }) {
    const progress: number[] = []
    const controller = new AbortController()
    let renewals = 0
    controllers.set(model.digest, controller)
    const folder = await store.obtain(model, {
      baseUrl,
      signal: controller.signal,
      onProgress: (doneBytes) => void progress.push(doneBytes),
      ...(renewed && {
        async renew() {
          renewals += 1
          return renewed
        },
      }),
    })
    folders.set(model.digest, folder)
    return { names: folder.names, bytes: folder.bytes, progress, unkept: unkept.splice(0), renewals }
  },
  async abort(digest) {
    controllers.get(digest)?.abort(new DOMException('The test has ended it.', 'AbortError'))
  },
  async read({ digest, name }) {
    const folder = folders.get(digest)
    if (folder === undefined) throw new Error('No such artifact was obtained.')
    return sha256Of(new Blob([await folder.read(name)]))
  },
  async forget(digest) {
    folders.delete(digest)
    const collect: unknown = Reflect.get(globalThis, 'gc')
    if (typeof collect === 'function') collect()
  },
  clear: () => store.clear(),
  setFact: ({ key, value }) => facts.set(key, value),
  getFact: (key) => facts.get(key),
  clearFacts: () => facts.clear(),
  async becomeInsecure() {
    Object.defineProperty(crypto, 'subtle', { value: undefined })
    for (const name of ['storage', 'locks']) Object.defineProperty(navigator, name, { value: undefined })
    Reflect.deleteProperty(globalThis, 'caches')
  },
}

addEventListener('message', ({ data: { id, method, parameter } }: MessageEvent) => {
  const call = Reflect.get(methods, method) as (parameter: unknown) => Promise<unknown>
  call(parameter).then(
    (value) => postMessage({ id, value }),
    (error: unknown) => postMessage({ id, error: toFacts(error) }),
  )
})

function toFacts(error: unknown): Readonly<Record<string, unknown>> {
  if (isIsoplexError(error)) return { code: error.code, message: error.message, details: error.details }
  return error instanceof Error ? { name: error.name, message: error.message } : { message: String(error) }
}
