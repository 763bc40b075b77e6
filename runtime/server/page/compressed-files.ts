import { stat } from 'node:fs/promises'
import { type Encoding, hashCompressed } from '../../build/page/compression.ts'
import { hashOfFileName } from '../../build/page/file-name.ts'
import type { PageFile } from './page-files.ts'

/** What was found of a compressed file, and of which state of it. */
interface Verdict {
  readonly state: string
  readonly isWhole: Promise<boolean>
}

/**
 * Knows which compressed files may be sent: those that hold what their names tell, to the last byte. Each is
 * decompressed once to find out, and again when it has changed.
 */
export class CompressedFiles {
  readonly #verdicts = new Map<string, Verdict>()

  /** The path and size of a file in an encoding; `null` where it is not there, or not what it should be. */
  async find(
    { name, compressed }: PageFile,
    encoding: Encoding,
  ): Promise<{ readonly path: string; readonly sizeBytes: number } | null> {
    const path = compressed[encoding]
    if (path === undefined) return null
    const facts = await stat(path).catch(() => null)
    if (!facts?.isFile()) return null
    const state = `${facts.size} ${facts.mtimeMs} ${facts.ino}`
    let verdict = this.#verdicts.get(path)
    if (verdict?.state !== state) {
      const hash = hashOfFileName(name)
      const isWhole = hashCompressed(path, encoding).then((held) => held !== null && held === hash)
      verdict = { state, isWhole }
      this.#verdicts.set(path, verdict)
    }
    return (await verdict.isWhole) ? { path, sizeBytes: facts.size } : null
  }
}
