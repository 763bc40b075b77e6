/**
 * A page's worker: told what its page decides, it runs functions and models until the page ends it, or goes.
 */
import { createOnnxWebEngine } from '../../adapters/onnx-web/engine.ts'
import type { Verdict, VerdictStore } from '../../adapters/onnx-web/verdict.ts'
import { toWire } from '../error/wire.ts'
import { createArtifactStore } from '../page/artifact-store.ts'
import { createConsoleLog } from '../page/console-log.ts'
import { PageHost } from '../page/host.ts'
import { createKeptFacts } from '../page/kept-facts.ts'
import type { HostMessage, PageMessage, StartMessage } from '../page/message.ts'
import { ModelFolders } from '../page/model-folders.ts'

let coming: Promise<PageHost> | null = null

addEventListener('message', ({ data }: MessageEvent<PageMessage>) => {
  if (data.kind === 'start') coming = start(data)
  else void coming?.then((host) => host.receive(data))
})

/** Makes the host; nothing is run before the page would notice that this worker dies of it. */
async function start(message: StartMessage): Promise<PageHost> {
  const host = createHost(message)
  await holdLock(message.lockName)
  post({ kind: 'up' })
  return host
}

/** Holds a lock until this worker ends. Where there are no locks, its page does without notice of that. */
function holdLock(name: string): Promise<void> {
  return new Promise((resolve) => {
    const held = navigator.locks?.request(name, () => {
      resolve()
      return new Promise(() => undefined)
    })
    if (held) held.catch(() => resolve())
    else resolve()
  })
}

function createHost({ onnx, provider, softwareAdapters, maxModelBytes, debug }: StartMessage): PageHost {
  const folders = new ModelFolders()
  const log = createConsoleLog({ debug })
  const engine = createOnnxWebEngine({
    onnx,
    provider,
    softwareAdapters,
    files: folders,
    verdicts: keptVerdicts(),
    onFallback: ({ location, reason }) => host.fellBack(location, reason),
    onStage: ({ location, stage }) => stage === 'verify' && host.verifies(location),
    onLost(error) {
      log.warn(`The page's worker is replaced. ${error.message}`)
      post({ kind: 'lost', error: toWire(error) })
    },
  })
  const artifacts = createArtifactStore({
    onUnkept: ({ digest, bytes, reason }) =>
      log.warn('A model has to be downloaded again next time', { digest, bytes, reason }),
  })
  // What keeps ONNX Runtime from coming up, the first model is told.
  const prepare = (stage: 'asked' | 'granted'): void => {
    const coming = stage === 'asked' ? engine.loadCode() : engine.prepare()
    coming.catch(() => undefined)
  }
  const host = new PageHost({ engine, artifacts, folders, log, post, maxModelBytes, prepare })
  return host
}

function post(message: HostMessage, transfer: readonly ArrayBuffer[] = []): void {
  postMessage(message, { transfer: [...transfer] })
}

/** Which models webgpu computes right, remembered beyond this page. */
function keptVerdicts(): VerdictStore {
  const facts = createKeptFacts('verdicts')
  return {
    get: async (key) => ((await facts.get(key)) as Verdict | undefined) ?? null,
    set: (key, verdict) => facts.set(key, verdict),
  }
}
