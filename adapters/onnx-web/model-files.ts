import { IsoplexError } from '../../runtime/error/error.ts'
import { fileNameOf } from '../onnx/failure.ts'

/** Where an engine gets the files of models from. */
export interface ModelFiles {
  /**
   * The bytes of a file. An error of ours is handed on; with any other the model counts as broken.
   */
  read(location: string): Promise<Uint8Array<ArrayBuffer>>
  /** The names of the files that lie beside a model, or below its folder, as seen from that folder. */
  siblings(location: string): Promise<readonly string[]>
}

/** A model with the weights that it keeps in files of their own. */
export interface ModelContent {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly external: readonly ExternalData[]
}

/** A file of weights, by the name that the model has for it. */
export interface ExternalData {
  readonly path: string
  readonly data: Uint8Array<ArrayBuffer>
}

/** Files by their URLs. A model has no siblings, since nobody lists what lies beside a URL. */
export const fetchedFiles: ModelFiles = Object.freeze({
  async read(location: string) {
    const response = await fetch(location).catch((cause: unknown) => {
      throw fetchFailed(location, 'connection', 'its server does not answer', cause)
    })
    if (response.status === 404 || response.status === 410) throw new Error('there is no such file')
    if (!response.ok) throw fetchFailed(location, 'status', `its server answers ${response.status}`)
    const buffer = await response.arrayBuffer().catch((cause: unknown) => {
      throw fetchFailed(location, 'cut-off', 'the connection broke off', cause)
    })
    return new Uint8Array(buffer)
  },
  siblings: async () => [],
})

/** Reads a model, and those of its siblings whose names occur in its bytes: it can mean no others. */
export async function readModel(files: ModelFiles, location: string): Promise<ModelContent> {
  const bytes = await files.read(location)
  const folder = location.slice(0, location.lastIndexOf('/') + 1)
  const named = (await files.siblings(location)).filter(
    (name) => `${folder}${name}` !== location && occursIn(bytes, name),
  )
  const external = await Promise.all(
    named.map(async (path) => ({ path, data: await files.read(`${folder}${path}`) })),
  )
  return { bytes, external }
}

function occursIn(bytes: Uint8Array, name: string): boolean {
  const wanted = new TextEncoder().encode(name)
  const [first] = wanted
  if (first === undefined) return false
  for (let at = bytes.indexOf(first); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (wanted.every((byte, offset) => bytes[at + offset] === byte)) return true
  }
  return false
}

function fetchFailed(
  location: string,
  reason: 'connection' | 'status' | 'cut-off',
  what: string,
  cause?: unknown,
): IsoplexError<'FETCH_FAILED'> {
  return new IsoplexError(
    'FETCH_FAILED',
    `The model file "${fileNameOf(location)}" cannot be had: ${what}.`,
    {
      details: { reason },
      cause,
    },
  )
}
