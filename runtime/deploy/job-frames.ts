import type { ProjectKeys } from '../auth/project-key.ts'
import { openBytes, sealBytes } from '../auth/sealed-bytes.ts'

/**
 * What a job on a cluster says by its log. `data` is told in clear, so that people can read the log as well; bytes are
 * sealed. A job's own output stands in the same log, and cannot be taken for any of it: each frame is authenticated with
 * the cluster's key, for its job and its place.
 */
export interface JobFrame {
  /** What it is, such as `event`. */
  readonly kind: string
  readonly data: unknown
  readonly bytes: Uint8Array<ArrayBuffer>
}

const start = '{"isoplex":'
const noBytes = new Uint8Array()

/** Makes the lines of a job's frames, in their order. */
export class JobFrameWriter {
  readonly #keys: ProjectKeys
  readonly #nonce: string
  #next = 0

  constructor(keys: ProjectKeys, nonce: string) {
    this.#keys = keys
    this.#nonce = nonce
  }

  /** The line of the next frame. It begins with the end of a line: what stands before it may have none. */
  line(kind: string, data: unknown, bytes: Uint8Array = noBytes): string {
    const place = this.#next
    this.#next += 1
    const text = JSON.stringify(data) ?? 'null'
    const sealed = sealBytes(this.#keys, bytes, purposeOf(this.#nonce, place, kind, text))
    const seal = Buffer.from(sealed).toString('base64')
    return `\n${start}${place},"kind":${JSON.stringify(kind)},"data":${text},"seal":"${seal}"}\n`
  }
}

/** Finds the frames of one job in its log. */
export class JobFrameReader {
  readonly #keys: ProjectKeys
  readonly #nonce: string
  #next = 0
  /** Pieces of the line that has not ended yet. */
  #open: string[] = []

  constructor(keys: ProjectKeys, nonce: string) {
    this.#keys = keys
    this.#nonce = nonce
  }

  /** The frames that end in a further piece of the log. Whatever else the log holds is left out. */
  *read(piece: string): Generator<JobFrame, void> {
    const [first = '', ...others] = piece.split('\n')
    this.#open.push(first)
    for (const other of others) {
      const frame = this.#frameOf(this.#open.join(''))
      this.#open = [other]
      if (frame !== null) yield frame
    }
  }

  #frameOf(line: string): JobFrame | null {
    if (!line.startsWith(start)) return null
    const parts = parse(line)
    if (parts === null || parts.isoplex !== this.#next) return null
    const { kind, data, seal } = parts
    const purpose = purposeOf(this.#nonce, parts.isoplex, kind, JSON.stringify(data))
    const opened = openBytes(this.#keys, Buffer.from(seal, 'base64'), purpose)
    if (opened.kind !== 'opened') return null
    this.#next += 1
    return { kind, data, bytes: opened.bytes }
  }
}

interface FrameParts {
  readonly isoplex: number
  readonly kind: string
  readonly data: unknown
  readonly seal: string
}

function parse(line: string): FrameParts | null {
  try {
    const value: unknown = JSON.parse(line)
    const { isoplex, kind, data, seal } = value as Partial<FrameParts>
    const fits = typeof isoplex === 'number' && typeof kind === 'string' && typeof seal === 'string'
    return fits && data !== undefined ? { isoplex, kind, data, seal } : null
  } catch {
    return null
  }
}

/** Where a frame belongs, and what it tells in clear: the seal holds for nothing else. */
function purposeOf(nonce: string, place: number, kind: string, data: string): string {
  return `isoplex job frame\n${nonce}\n${place}\n${kind}\n${data}`
}
