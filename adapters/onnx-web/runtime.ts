import type { Env, InferenceSession } from 'onnxruntime-common'
import { IsoplexError } from '../../runtime/error/error.ts'
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
const sessionsOn = new WeakMap<GPUDevice, number>()

/** What all engines of this page or worker share. */
export const realm: Realm = createRealm()

/**
 * Makes a session of ONNX Runtime at its turn. At first need it loads the build that the provider takes: wasm
 * sessions take the build with WebGPU too where that is there already.
 *
 * @throws {IsoplexError} `FETCH_FAILED` where ONNX Runtime's own files cannot be had; `DEVICE_LOST` where the realm
 * is lost.
 */
export function createSession(
  provider: WebProvider,
  start: RuntimeStart,
  model: Uint8Array,
  options: InferenceSession.SessionOptions,
): Promise<RuntimeSession> {
  return realm.exclusive(async () => {
    const build = await loadBuild(provider, start)
    const session = await build.InferenceSession.create(model, options).catch((error: unknown) => {
      throw isStartFailure(error) ? startFailed(error) : error
    })
    return provider === 'webgpu' ? onDevice(session, await build.env.webgpu.device) : session
  })
}

/** The session, which keeps the loss of its device from going unseen. */
function onDevice(session: InferenceSession, device: GPUDevice): RuntimeSession {
  const count = sessionsOn.get(device)
  if (count === undefined) watch(device)
  sessionsOn.set(device, (count ?? 0) + 1)
  return {
    inputMetadata: session.inputMetadata,
    outputMetadata: session.outputMetadata,
    run: session.run.bind(session),
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

async function importBuild(name: WebProvider, { files, threads }: RuntimeStart): Promise<Build> {
  try {
    // Each in an import of its own, so that a bundler makes a file of each.
    const build: Build =
      name === 'webgpu' ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web/wasm')
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
function startFailed(cause: unknown): IsoplexError<'FETCH_FAILED'> {
  const error = new IsoplexError(
    'FETCH_FAILED',
    `ONNX Runtime's own files cannot be had: ${describeFailure(cause)}.`,
    { details: { reason: 'connection' }, cause },
  )
  realm.lose(error.message)
  return error
}

function isStartFailure(error: unknown): error is Error {
  return error instanceof Error && error.message.startsWith('no available backend found')
}
