import { IsoplexError } from '../error/error.ts'

const fullCodes: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'SQLITE_FULL'])

/** Makes `STORAGE_FULL` of an error that says so; any other error stays what it is. */
export function toStorageError(error: unknown): unknown {
  if (!isStorageFull(error)) return error
  return new IsoplexError(
    'STORAGE_FULL',
    'The disk of the state directory is full; free some room, remove models, or move that folder.',
    { cause: error },
  )
}

/** Whether an error says that a disk is full. */
export function isStorageFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && fullCodes.has(error.code)
}

/** Whether an error of the file system has one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.some((code) => code === error.code)
}
