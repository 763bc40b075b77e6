import { isMainThread, threadId } from 'node:worker_threads'
import type { Engine, Provider, Session, SessionOptions } from '../../runtime/engine/engine.ts'
import type { MachineFacts } from '../../runtime/engine/machine-facts.ts'
import {
  explainProviders,
  type ProviderChoice,
  type ProviderWish,
  selectProvider,
} from '../../runtime/engine/provider.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { createExclusion, type Exclusion, sideBySide } from '../onnx/exclusion.ts'
import { describeFailure, fileNameOf } from '../onnx/failure.ts'
import { OnnxSession } from '../onnx/session.ts'
import { assertSessionOptions, toOnnxSessionOptions } from '../onnx/session-options.ts'
import { loadBinding } from './binding.ts'
import { readMachineFacts } from './machine-facts.ts'
import { createProcessExclusion, type LockMemory } from './process-lock.ts'

/** A model that computes elsewhere than was wished for. */
export interface ProviderFallback {
  readonly wished: Provider | 'auto'
  readonly provider: Provider
  /** A sentence for people. */
  readonly reason: string
}

/** How the engine is to be made. */
export interface OnnxNodeEngineOptions {
  /** What the machine has. @default it is read at the first load */
  readonly facts?: MachineFacts
  /**
   * The lock for webgpu among all threads of the process, by `createLockMemory`. Two threads that use webgpu at
   * once crash the process, so a thread other than the main one can load nothing on webgpu without it.
   * @default none; the main thread is taken to be the only one that uses webgpu
   */
  readonly webgpuLock?: LockMemory
  /** Called when a model computes on a fallback, once for each wish, so that it is said once. @default none */
  readonly onFallback?: (fallback: ProviderFallback) => void
}

// The device of webgpu belongs to the process, and within a thread every engine shares it.
const webgpuTurn = createExclusion()

/**
 * The engine of servers: ONNX Runtime's native build, through onnxruntime-node. Nothing is loaded before the
 * first model.
 *
 * Loading and running block the thread that does them, so give a model a thread of its own. Before such a
 * thread is terminated its sessions should be idle: terminating it inside a native call aborts the process.
 */
export function createOnnxNodeEngine(options: OnnxNodeEngineOptions = {}): Engine {
  const said = new Set<string>()
  const { facts, webgpuLock, onFallback } = options
  const loader: Loader = {
    readFacts: async () => facts ?? (await readMachineFacts()),
    exclusionOf: (provider) => exclusionOf(provider, webgpuLock),
    reportFallback(fallback) {
      const key = `${fallback.wished} ${fallback.provider}`
      if (said.has(key)) return
      said.add(key)
      onFallback?.(fallback)
    },
  }
  return {
    name: 'onnx-node',
    load: (location, sessionOptions) => load(loader, location, sessionOptions ?? {}),
  }
}

interface Loader {
  readonly readFacts: () => Promise<MachineFacts>
  readonly exclusionOf: (provider: Provider) => Exclusion
  readonly reportFallback: (fallback: ProviderFallback) => void
}

async function load<DeviceName extends string>(
  loader: Loader,
  location: string,
  options: SessionOptions<DeviceName>,
): Promise<Session<DeviceName>> {
  if (typeof location !== 'string' || location === '' || location.includes('\0')) {
    throw new TypeError('"location" must be the path of a model file.')
  }
  assertSessionOptions(options)
  const facts = await loader.readFacts()
  const choice = selectProvider(facts, options)
  const faults = choice.fellBack ? [choice.reason] : []
  for (const provider of candidatesOf(facts, choice, options)) {
    const exclusive = loader.exclusionOf(provider)
    try {
      const session = await open(location, options, provider, exclusive)
      const wished = options.provider ?? 'auto'
      if (faults.length > 0) loader.reportFallback({ wished, provider, reason: faults.join(' ') })
      return session
    } catch (error) {
      if (provider === 'cpu') throw modelBroken(location, error)
      faults.push(
        `${provider} could not load "${fileNameOf(location)}": ${describeFailure(error, location)}.`,
      )
    }
  }
  await assertLoads(location, options)
  throw new IsoplexError('PROVIDER_UNAVAILABLE', `${faults.join(' ')} On cpu it loads.`, {
    details: { missing: [] },
  })
}

/** What to try in order: the choice, and where it fails to load the model, what the options allow instead. */
function candidatesOf(
  facts: MachineFacts,
  choice: ProviderChoice,
  { provider = 'auto', fallback }: ProviderWish,
): readonly Provider[] {
  const other = provider === 'auto' ? 'cpu' : fallback
  const allowed =
    other !== undefined &&
    other !== choice.provider &&
    explainProviders(facts).some((state) => state.provider === other && state.available)
  return allowed ? [choice.provider, other] : [choice.provider]
}

/** Tells a model that nothing can load from one that a device refuses: the first is broken, on any provider. */
async function assertLoads(location: string, options: SessionOptions<string>): Promise<void> {
  try {
    const session = await open(location, options, 'cpu', sideBySide)
    await session.dispose()
  } catch (error) {
    throw modelBroken(location, error)
  }
}

async function open<DeviceName extends string>(
  location: string,
  options: SessionOptions<DeviceName>,
  provider: Provider,
  exclusive: Exclusion,
): Promise<OnnxSession<DeviceName>> {
  const { InferenceSession } = await loadBinding()
  const onnxOptions = toOnnxSessionOptions(options, provider)
  const session = await exclusive(() => InferenceSession.create(location, onnxOptions))
  try {
    return new OnnxSession(session, { provider, exclusive, deviceOutputs: options.deviceOutputs ?? [] })
  } catch (error) {
    await exclusive(() => session.release())
    throw error
  }
}

function exclusionOf(provider: Provider, lock: LockMemory | undefined): Exclusion {
  if (provider !== 'webgpu') return sideBySide
  if (lock === undefined) {
    if (isMainThread) return webgpuTurn
    throw new TypeError('"webgpuLock" is needed to use webgpu outside the main thread.')
  }
  const amongThreads = createProcessExclusion(lock, threadId)
  return (work) => webgpuTurn(() => amongThreads(work))
}

function modelBroken(location: string, error: unknown): IsoplexError<'MODEL_BROKEN'> {
  const model = fileNameOf(location)
  return new IsoplexError(
    'MODEL_BROKEN',
    `The model file "${model}" could not be loaded: ${describeFailure(error, location)}.`,
    { details: { model }, cause: error },
  )
}
