import { isIsoplexError } from '../../runtime/error/error.ts'

/** What an error of a fetch says, in short: `URL_REFUSED: host`. */
export interface FetchError {
  readonly what: string
  readonly message: string
}

/** The error that an action fails with, where it is one of a fetch; any other is thrown on. */
export async function fetchErrorOf(act: () => unknown): Promise<FetchError> {
  try {
    await act()
  } catch (error) {
    if (!isIsoplexError(error)) throw error
    if (error.code !== 'URL_REFUSED' && error.code !== 'FETCH_FAILED') throw error
    return { what: `${error.code}: ${error.details.reason}`, message: error.message }
  }
  throw new Error('expected an error, got none')
}
