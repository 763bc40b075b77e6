import type { Progress, ProgressOptions } from './progress.ts'

/** An artifact that is on its way into the store, or out of its archive. Plain data. */
export interface Transfer {
  /** What is transferred: as the backend's name and the model's id where they are known, else a digest or a URL. */
  readonly origin: string
  readonly kind: 'download' | 'unpack'
  readonly doneBytes: number
  /** `null` while nobody knows. */
  readonly totalBytes: number | null
  /** In milliseconds since 1970. */
  readonly startedAtMs: number
}

/** The transfers of a store that go on in this process. */
export interface TransferList {
  list(): readonly Transfer[]
  /** Lists a transfer as long as the work on it goes on, and passes on how far it has come. */
  during<Result>(
    facts: Pick<Transfer, 'origin' | 'kind'>,
    options: ProgressOptions,
    work: (tell: (doneBytes: number, totalBytes: number | null) => void) => Promise<Result>,
  ): Promise<Result>
}

/** Makes an empty list. */
export function createTransferList(): TransferList {
  const transfers = new Set<{ current: Transfer }>()
  return Object.freeze({
    list: () => Object.freeze(Array.from(transfers, ({ current }) => current)),
    async during<Result>(
      { origin, kind }: Pick<Transfer, 'origin' | 'kind'>,
      { onProgress }: ProgressOptions,
      work: (tell: (doneBytes: number, totalBytes: number | null) => void) => Promise<Result>,
    ) {
      const facts = { origin, kind, startedAtMs: Date.now() }
      const transfer = { current: Object.freeze({ ...facts, doneBytes: 0, totalBytes: null }) as Transfer }
      transfers.add(transfer)
      try {
        return await work((doneBytes, totalBytes) => {
          transfer.current = Object.freeze({ ...facts, doneBytes, totalBytes })
          if (totalBytes !== null) onProgress?.({ doneBytes, totalBytes } satisfies Progress)
        })
      } finally {
        transfers.delete(transfer)
      }
    },
  })
}
