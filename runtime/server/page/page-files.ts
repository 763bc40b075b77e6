import type { Encoding } from '../../build/page/compression.ts'

/** A file that is served to pages. */
export interface PageFile {
  /** Its name, with the hash of its content. */
  readonly name: string
  readonly path: string
  /** Where it would lie compressed; it need not be there, and is taken for what it says only once that is certain. */
  readonly compressed: Readonly<Partial<Record<Encoding, string>>>
}

/** What the page for trying things out is made of. */
export interface PlaygroundFiles {
  readonly script: string
  readonly styles: string | null
}

/** What is served to pages now. What is not built yet is waited for. */
export interface PageFiles {
  /** The text of `index.json`; `null` where nothing is served to pages. */
  index(): Promise<string | null>
  /** A file by its name in the index, or in the one before; `null` for any other text. */
  find(name: string): Promise<PageFile | null>
  /** The client, whatever its name is now; `null` where nothing is served to pages. */
  client(): Promise<PageFile | null>
  /** The files of the playground; `null` where there is none. */
  playground(): Promise<PlaygroundFiles | null>
}
