import { join } from 'node:path'
import { type Builder, createBuilder } from '../build/build.ts'
import type { Manifest } from '../build/manifest.ts'
import { readManifest } from '../build/output.ts'

/** Where a gateway's functions come from: source files that are compiled, or a folder that was built before. */
export interface FunctionSource {
  /** The absolute path of the folder with the bundles. */
  readonly bundleDirectory: string
  /** The manifest of the sources as they are now. */
  read(): Promise<Manifest>
  dispose(): Promise<void>
}
