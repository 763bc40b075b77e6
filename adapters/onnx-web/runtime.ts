import type { Env, InferenceSession } from 'onnxruntime-common'
import { type AnyIsoplexError, IsoplexError } from '../../runtime/error/error.ts'
import { describeFailure } from '../onnx/failure.ts'
import type { RuntimeSession } from '../onnx/session.ts'
import type { WebProvider } from './provider.ts'
import { createRealm, type Realm } from './realm.ts'

/** Where the files of ONNX Runtime are, as absolute URLs, and of which version they are. */
export interface OnnxWebFiles {
  /** The version of onnxruntime-web. */
  readonly version: string
  /** The build with WebGPU: `ort-wasm-simd-threaded.asyncify`. */
  readonly webgpu: OnnxBuildFiles
  /** The build for wasm alone, which is half as large: `ort-wasm-simd-threaded`. */
  readonly wasm: OnnxBuildFiles
}

/** The two files of one build. */
export interface OnnxBuildFiles {
  /** The `.mjs`. */
  readonly module: string
  /** The `.wasm`. */
  readonly wasm: string
}

/** How ONNX Runtime is started, once in a realm. */
export interface RuntimeStart {
  readonly files: OnnxWebFiles
  readonly threads: number
}

interface Build {
  readonly InferenceSession: { create: typeof InferenceSession.create }
  readonly env: Env
}

// ONNX Runtime keeps its state in its modules, so there is one of it in each page or worker.
const builds = new Map<WebProvider, Promise<Build>>()
// What it takes and gives as buffers of the GPU.
const deviceTypes: ReadonlySet<string> = new Set([
  'float32',
  'float16',
  'int32',
  'int64',
  'uint32',
  'uint8',
  'bool',
])
const sessionsOn = new WeakMap<GPUDevice, number>()

/** The node `y = Identity(x)` over one float32, of operator set 17. */
const smallestModel = Uint8Array.fromBase64(
  'CAg6NgoQCgF4EgF5IghJZGVudGl0eRIAWg8KAXgSCgoICAESBAoCCAFiDwoBeRIKCggIARIECgIIAUIECgAQEQ==',
)

/** What all engines of this page or worker share. */
export const realm: Realm = createRealm()

/** A session to be made. */
export interface SessionOrder {
  readonly provider: WebProvider
  readonly start: RuntimeStart
  readonly model: Uint8Array
  readonly options: InferenceSession.SessionOptions
  /** Outputs to be left on the device, where it can hold their elements. */
  readonly deviceOutputs: readonly string[]
}

/**
 * Makes a session of ONNX Runtime at its turn. At first need it loads the build that the provider takes: wasm
 * sessions take the build with WebGPU too where that is there already.
 *
 * @throws {IsoplexError} `FETCH_FAILED` where ONNX Runtime's own files cannot be had; `DEVICE_LOST` where the realm
 * is lost.
 */
export function createSession(order: SessionOrder): Promise<RuntimeSession> {
  return realm.exclusive(async () => {
    const build = await loadBuild(order.provider, order.start)
    if (order.provider !== 'webgpu') return create(build, order, [])
    const session = await create(build, order, order.deviceOutputs)
    const placed = order.deviceOutputs.filter((name) => liesOnDevice(session, name))
    const fits = placed.length === order.deviceOutputs.length
    if (!fits) await session.release()
    const final = fits ? session : await create(build, order, placed)
    return onDevice(final, await build.env.webgpu.device, { bound: placed.length > 0 })
  })
}

/** Whether the device holds elements of an output's type, known once the model is loaded; else each run would fail. */
function liesOnDevice({ outputMetadata }: InferenceSession, name: string): boolean {
  return outputMetadata.some(
    (output) => output.name === name && output.isTensor && deviceTypes.has(output.type),
  )
}

async function create(
  { InferenceSession: sessions }: Build,
  { model, options }: SessionOrder,
  placed: readonly string[],
): Promise<InferenceSession> {
  const locations = Object.fromEntries(placed.map((name) => [name, 'gpu-buffer'] as const))
  try {
    return await sessions.create(
      model,
      placed.length === 0 ? options : { ...options, preferredOutputLocation: locations },
    )
  } catch (error) {
    throw isStartFailure(error) ? startFailed(error) : error
  }
}

/**
 * Starts ONNX Runtime at its turn, so that the first model need not wait for its files. It starts with its first
 * session and in no other way, so it gets one of the smallest model there is.
 *
 * @throws {IsoplexError} as {@link createSession}
 */
export async function startRuntime(provider: WebProvider, start: RuntimeStart): Promise<void> {
  await realm.exclusive(async () => {
    const { InferenceSession } = await loadBuild(provider, start)
    const session = await InferenceSession.create(smallestModel, { executionProviders: ['wasm'] }).catch(
      (error: unknown) => {
        throw isStartFailure(error) ? startFailed(error) : error
      },
    )
    await session.release()
  })
}

/** The session, which keeps the loss of its device from going unseen, and a failed run from being repeated. */
function onDevice(
  session: InferenceSession,
  device: GPUDevice,
  { bound }: { readonly bound: boolean },
): RuntimeSession {
  const count = sessionsOn.get(device)
  if (count === undefined) watch(device)
  sessionsOn.set(device, (count ?? 0) + 1)
  let failed = false
  return {
    inputMetadata: session.inputMetadata,
    outputMetadata: session.outputMetadata,
    async run(feeds) {
      // With outputs on the device, ONNX Runtime 1.30 would compute the feeds of a failed run again, freed as they are.
      if (bound && failed)
        throw realm.lose('A run has failed, and ONNX Runtime cannot go on with its session.')
      try {
        return await session.run(feeds)
      } catch (error) {
        failed = true
        // A device that is destroyed breaks off what it reads back before it says that it is lost.
        await device.queue.onSubmittedWorkDone().catch(() => undefined)
        throw error
      }
    },
    release() {
      sessionsOn.set(device, (sessionsOn.get(device) ?? 0) - 1)
      return session.release()
    },
  }
}

function watch(device: GPUDevice): void {
  void device.lost.then(({ message }) => {
    // With the last session on it ONNX Runtime destroys the device itself, and makes another one for the next.
    if (sessionsOn.get(device) !== 0) realm.lose(`The GPU device was lost: ${describeFailure(message)}.`)
  })
}

function loadBuild(provider: WebProvider, start: RuntimeStart): Promise<Build> {
  const wanted = provider === 'wasm' && builds.has('webgpu') ? 'webgpu' : provider
  const loading = builds.get(wanted) ?? importBuild(wanted, start)
  builds.set(wanted, loading)
  return loading
}

/** The code of a build, which loads the rest of it with its first session. */
export function importCode(name: WebProvider): Promise<Build> {
  // Each in an import of its own, so that a bundler makes a file of each.
  return name === 'webgpu' ? import('onnxruntime-web/webgpu') : import('onnxruntime-web/wasm')
}

async function importBuild(name: WebProvider, { files, threads }: RuntimeStart): Promise<Build> {
  try {
    const build = await importCode(name)
    const { module, wasm } = files[name]
    build.env.wasm.wasmPaths = { mjs: module, wasm }
    build.env.wasm.numThreads = threads
    // What it would say comes in exceptions.
    build.env.logLevel = 'fatal'
    return build
  } catch (error) {
    throw startFailed(error)
  }
}

/** ONNX Runtime remembers a start that has failed and never tries again in this realm: hence its loss. */
function startFailed(cause: unknown): AnyIsoplexError {
  const reason = `ONNX Runtime's own files cannot be had: ${describeFailure(cause)}.`
  return realm.lose(
    reason,
    new IsoplexError('FETCH_FAILED', reason, { details: { reason: 'connection' }, cause }),
  )
}

function isStartFailure(error: unknown): error is Error {
  return error instanceof Error && error.message.startsWith('no available backend found')
}
