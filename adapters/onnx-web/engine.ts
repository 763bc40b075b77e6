import type { Engine, Session, SessionOptions } from '../../runtime/engine/engine.ts'
import type { ProviderWish } from '../../runtime/engine/provider.ts'
import { IsoplexError, isIsoplexError } from '../../runtime/error/error.ts'
import { describeFailure, fileNameOf } from '../onnx/failure.ts'
import { OnnxSession } from '../onnx/session.ts'
import { assertSessionOptions, toOnnxSessionOptions } from '../onnx/session-options.ts'
import { type BrowserFacts, readBrowserFacts } from './browser-facts.ts'
import { type ModelContent, readModel } from './model-files.ts'
import { type EngineSettings, type OnnxWebEngineOptions, settingsOf } from './options.ts'
import { ProbedSession } from './probed-session.ts'
import { allowedFallback, selectThreads, selectWebProvider, type WebProvider } from './provider.ts'
import { createSession, importCode, type RuntimeStart, realm, startRuntime } from './runtime.ts'
import { type Verdict, verdictKeyOf } from './verdict.ts'

/** The engine of browsers, which can come up before its first model. */
export interface OnnxWebEngine extends Engine {
  /**
   * Loads what is small of ONNX Runtime, its code, for the provider of sessions that name none: while it is not known
   * yet whether there will be a model. What fails here fails again at the first load, which tells why.
   */
  loadCode(): Promise<void>
  /** Loads and compiles all of it, while a model is on its way. What fails here fails again as well. */
  prepare(): Promise<void>
}

/**
 * The engine of browsers: ONNX Runtime's wasm builds, through onnxruntime-web, on WebGPU or on the CPU. It is made
 * for a dedicated worker: the first run on WebGPU compiles shaders for seconds. Nothing is loaded before `loadCode`,
 * `prepare` or the first model; all engines of a page or worker share one runtime, which the first of them starts with
 * its files and threads.
 *
 * A session on webgpu answers its first feeds by wasm too. Where the answers differ, or webgpu fails on what wasm
 * can do, wasm answers from then on where the wish allows it; the verdict is kept.
 */
export function createOnnxWebEngine(options: OnnxWebEngineOptions): OnnxWebEngine {
  const settings = settingsOf(options)
  let facts: Promise<BrowserFacts> | undefined
  let code: Promise<void> | undefined
  let runtime: Promise<void> | undefined
  realm.onLost(settings.onLost)
  const withProvider = async (
    act: (provider: WebProvider, found: BrowserFacts) => Promise<unknown>,
  ): Promise<void> => {
    facts ??= readBrowserFacts()
    const found = await facts
    await act(selectWebProvider(found, settings).provider, found)
  }
  return {
    name: 'onnx-web',
    loadCode: () => {
      code ??= withProvider(importCode)
      return code
    },
    prepare: () => {
      runtime ??= withProvider((provider, found) => startRuntime(provider, startOf(settings, found)))
      return runtime
    },
    async load<DeviceName extends string = never>(
      location: string,
      sessionOptions: SessionOptions<DeviceName> = {},
    ) {
      assertLocation(location)
      const wish = { ...sessionOptions, provider: sessionOptions.provider ?? settings.provider }
      assertSessionOptions(wish)
      facts ??= readBrowserFacts()
      return load({ settings, facts: await facts, location, wish })
    },
  }
}

/** A model on its way to a session. */
interface Loading<DeviceName extends string> {
  readonly settings: EngineSettings
  readonly facts: BrowserFacts
  readonly location: string
  readonly wish: SessionOptions<DeviceName> & ProviderWish
}

async function load<DeviceName extends string>(loading: Loading<DeviceName>): Promise<Session<DeviceName>> {
  const { settings, facts, location, wish } = loading
  const { softwareAdapters } = settings
  const { provider, fellBack, reason } = selectWebProvider(facts, { ...wish, softwareAdapters })
  settings.onStage({ location, stage: 'load' })
  const content = await readContent(loading)
  if (provider === 'webgpu') return loadOnWebgpu(loading, content)
  const session = await openReference(loading, content)
  if (fellBack) report(loading, reason)
  return session
}

async function loadOnWebgpu<DeviceName extends string>(
  loading: Loading<DeviceName>,
  content: ModelContent,
): Promise<Session<DeviceName>> {
  const { settings, facts, location, wish } = loading
  const adapter = facts.adapter?.description ?? ''
  const key = await verdictKeyOf({ content, adapter, version: settings.onnx.version, options: wish })
  const conclude = async (verdict: Verdict): Promise<IsoplexError<'PROVIDER_UNAVAILABLE'> | null> => {
    // A verdict that cannot be kept is found again at the next load.
    await settings.verdicts.set(key, verdict).catch(() => undefined)
    return verdict.agrees ? null : decide(loading, verdict)
  }
  const known = await settings.verdicts.get(key).catch(() => null)
  if (known?.agrees === false) {
    const refusal = decide(loading, known)
    if (refusal !== null) throw refusal
    return openReference(loading, content)
  }
  const [opening] = await Promise.allSettled([open(loading, content, 'webgpu')])
  if (opening.status === 'rejected') {
    if (isIsoplexError(opening.reason)) throw opening.reason
    const reference = await openReference(loading, content)
    const reason = `webgpu could not load what wasm loads: ${describeFailure(opening.reason, location)}.`
    // Not kept: unlike a wrong answer, it may be about this moment's memory or device.
    const refusal = decide(loading, { agrees: false, reason })
    if (refusal === null) return reference
    await reference.dispose()
    throw refusal
  }
  if (known !== null) return opening.value
  return new ProbedSession(opening.value, {
    openReference: () => {
      settings.onStage({ location, stage: 'verify' })
      return openReference(loading, content)
    },
    conclude,
  })
}

/** Whether wasm may answer where webgpu does not: it is then said; else the error to answer with. */
function decide(loading: Loading<string>, { reason }: Verdict): IsoplexError<'PROVIDER_UNAVAILABLE'> | null {
  const fault = reason ?? 'webgpu does not answer as wasm does.'
  if (allowedFallback(loading.wish) === 'wasm') {
    report(loading, fault)
    return null
  }
  const model = fileNameOf(loading.location)
  return new IsoplexError(
    'PROVIDER_UNAVAILABLE',
    `The model file "${model}" is not computed on webgpu here, and its session allows no fallback: ${fault}`,
    { details: { missing: ['webgpu'] } },
  )
}

function report({ settings, location, wish }: Loading<string>, reason: string): void {
  settings.onFallback({ location, wished: wish.provider ?? 'auto', provider: 'wasm', reason })
}

async function readContent({ settings, location }: Loading<string>): Promise<ModelContent> {
  try {
    return await readModel(settings.files, location)
  } catch (error) {
    throw modelBroken(location, error)
  }
}

/** A session on wasm, which every model that is not broken can be loaded on. */
async function openReference<DeviceName extends string>(
  loading: Loading<DeviceName>,
  content: ModelContent,
): Promise<Session<DeviceName>> {
  try {
    return await open(loading, content, 'wasm')
  } catch (error) {
    throw modelBroken(loading.location, error)
  }
}

async function open<DeviceName extends string>(
  { settings, facts, wish }: Loading<DeviceName>,
  { bytes, external }: ModelContent,
  provider: WebProvider,
): Promise<Session<DeviceName>> {
  const { deviceOutputs = [] } = wish
  const session = await createSession({
    provider,
    start: startOf(settings, facts),
    model: bytes,
    options: { ...toOnnxSessionOptions(wish, provider), externalData: external },
    deviceOutputs,
  })
  try {
    return new OnnxSession(session, { provider, exclusive: realm.exclusive, deviceOutputs })
  } catch (error) {
    await realm.exclusive(() => session.release())
    throw error
  }
}

function startOf({ onnx, threads }: EngineSettings, facts: BrowserFacts): RuntimeStart {
  return { files: onnx, threads: selectThreads(facts, threads) }
}

/** What is an error of ours already is about something else than the model. */
function modelBroken(location: string, error: unknown): IsoplexError {
  if (isIsoplexError(error)) return error as IsoplexError
  const model = fileNameOf(location)
  return new IsoplexError(
    'MODEL_BROKEN',
    `The model file "${model}" could not be loaded: ${describeFailure(error, location)}.`,
    { details: { model }, cause: error },
  ) as IsoplexError
}

function assertLocation(location: unknown): void {
  if (typeof location === 'string' && location !== '' && !location.includes('\0')) return
  throw new TypeError('"location" must be the URL of a model file.')
}
