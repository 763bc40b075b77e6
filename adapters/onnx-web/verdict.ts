import type { SessionOptions } from '../../runtime/engine/engine.ts'
import type { ModelContent } from './model-files.ts'

/** Whether webgpu answered as wasm did, for a model on an adapter. */
export interface Verdict {
  readonly agrees: boolean
  /** A sentence for people; `null` where they agree. */
  readonly reason: string | null
}

/** Where verdicts are kept. A key is a text without secrets; equal keys mean the same question. */
export interface VerdictStore {
  get(key: string): Promise<Verdict | null>
  set(key: string, verdict: Verdict): Promise<void>
}

/** What a verdict is about. */
export interface VerdictSubject {
  readonly content: ModelContent
  readonly adapter: string
  /** The version of onnxruntime-web. */
  readonly version: string
  readonly options: SessionOptions<string>
}

/** Verdicts that end with the page. */
export function createVerdictMemory(): VerdictStore {
  const verdicts = new Map<string, Verdict>()
  return {
    get: async (key) => verdicts.get(key) ?? null,
    set: async (key, verdict) => void verdicts.set(key, verdict),
  }
}

/** The key of a verdict: the SHA-256 of the model, the adapter, the runtime, and how the model is computed. */
export async function verdictKeyOf({ content, adapter, version, options }: VerdictSubject): Promise<string> {
  const { graphOptimization = 'all', providerOptions = {} } = options
  const computed = JSON.stringify([graphOptimization, ...Object.entries(providerOptions).sort()])
  return [await digestOf(content), adapter, `onnxruntime-web ${version}`, computed].join('; ')
}

async function digestOf({ bytes, external }: ModelContent): Promise<string> {
  const files = [bytes, ...external.map(({ data }) => data)]
  return (await Promise.all(files.map(sha256))).join('+')
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
