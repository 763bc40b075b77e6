import type { FunctionFile, SourceHashes } from './bundle.ts'
import type { FunctionManifest } from './manifest.ts'
import type { Mistake } from './mistake.ts'

/** What the build process is told: to build one function file. It is told of the next when it has reported. */
export interface BuildOrder extends FunctionFile {
  /** The sources of the file's last bundle. */
  readonly known: readonly string[]
}

/**
 * What the build process says. To each order it says either that the file is described or that it is broken,
 * once its sources are known also these; or it says that it crashes, or nothing, and ends.
 */
export type BuildReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'bundled'; readonly sources: SourceHashes }
  | { readonly kind: 'described'; readonly manifest: FunctionManifest }
  | {
      readonly kind: 'broken'
      readonly mistake: Mistake
      /** Whether what is wrong may be mended without a change of the sources, such as by an installation. */
      readonly again: boolean
    }
  | { readonly kind: 'crashed'; readonly mistake: Mistake }
