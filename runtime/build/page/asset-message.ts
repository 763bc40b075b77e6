import type { WireError } from '../../error/wire.ts'
import type { BuildMode } from '../bundle.ts'
import type { AssetSet, AssetSetName } from './asset-set.ts'
import type { CompressionTask } from './compression.ts'

/** What a process for pages is told to do, and then to end. */
export type AssetOrder =
  | {
      readonly kind: 'build'
      readonly set: AssetSetName
      readonly mode: BuildMode
      /** The folder for pages. */
      readonly pageDirectory: string
    }
  | {
      readonly kind: 'compress'
      readonly tasks: readonly CompressionTask[]
      /**
       * For work in the background, which takes no time from anybody else: the file by which all processes that do such
       * work take turns, so that each file is compressed once. `null` for work that somebody waits for.
       */
      readonly turnsFile: string | null
    }

/** What a process for pages says: that it is ready, how far it is, and what came of it. */
export type AssetReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly kind: 'built'; readonly assets: AssetSet }
  | { readonly kind: 'compressed' }
  | { readonly kind: 'failed'; readonly error: WireError }
