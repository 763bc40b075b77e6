/** The file that a page reads first of all that was built for it, beside what it names. */
export const pageManifestName = 'index.json'

/** The longest time that a timer can measure. */
const longestMs = 2 ** 31 - 1

/**
 * What was built for pages, as `index.json` lists it beside the files. All names are relative to it, hold the hash of
 * the file's content, and are never used for another.
 */
export interface PageManifest {
  /** The form of this list. */
  readonly isoplexPage: 1
  /** The functions that may run in a page, by their names. */
  readonly functions: Readonly<Record<string, PageFunction>>
  /** The module that a page starts as its worker. */
  readonly worker: string
  /** ONNX Runtime in its two builds: with WebGPU, and for wasm alone, which is half as large. */
  readonly onnx: {
    /** The version of onnxruntime-web. */
    readonly version: string
    readonly webgpu: OnnxFiles
    readonly wasm: OnnxFiles
  }
}

/** A function as a page needs it. */
export interface PageFunction {
  /** Its module, whose default export is the definition. */
  readonly bundle: string
  /** Whether it answers with a model. */
  readonly hasModel: boolean
  /** Where given, how long one request may take. */
  readonly timeoutMs?: number
}

/** The two files of one build of ONNX Runtime. */
export interface OnnxFiles {
  readonly module: string
  readonly wasm: string
}

/**
 * Checks what came from the network: it is a list of this form, and names no file but those beside it. `null` where it
 * is anything else.
 */
export function toPageManifest(value: unknown): PageManifest | null {
  const { isoplexPage, functions = null, worker, onnx } = (value ?? {}) as Partial<PageManifest>
  const isList =
    isoplexPage === 1 &&
    functions !== null &&
    Object.values(functions).every(isFunction) &&
    typeof onnx?.version === 'string' &&
    [worker, ...filesOf(onnx.webgpu), ...filesOf(onnx.wasm)].every(isFileName)
  return isList ? (value as PageManifest) : null
}

function isFunction(value: Partial<PageFunction> | null): boolean {
  const { bundle, hasModel, timeoutMs } = value ?? {}
  const isTime = timeoutMs === undefined || (timeoutMs > 0 && timeoutMs <= longestMs)
  return isFileName(bundle) && typeof hasModel === 'boolean' && isTime
}

function filesOf({ module, wasm }: Partial<OnnxFiles> = {}): readonly unknown[] {
  return [module, wasm]
}

function isFileName(name: unknown): boolean {
  return typeof name === 'string' && /^[\w-][\w.-]*$/.test(name)
}
