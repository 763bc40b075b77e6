import { isIsoplexError } from '../error/error.ts'
import { assertHeaderText } from './header-text.ts'

/** A model token, or what gives one: it is asked once, and again when the token has expired. */
export type TokenOption = string | null | (() => string | null | Promise<string | null>)

/** Gives the token of a client. */
export interface TokenSource {
  /**
   * Calls with the token; and once more with another one, where it has expired and there is another one.
   *
   * @throws {TypeError} where no header can carry the token.
   */
  use<Value>(call: (token: string | null) => Promise<Value>): Promise<Value>
}

/** Makes the source of a client's token. Calls that run side by side share each question. */
export function createTokenSource(option: TokenOption): TokenSource {
  if (typeof option !== 'function') return { use: async (call) => call(checked(option)) }
  let known: Promise<string | null> | null = null
  const current = (): Promise<string | null> => {
    if (known) return known
    const asked = (async () => checked(await option()))()
    known = asked
    asked.catch(() => forget(asked))
    return asked
  }
  const forget = (promise: Promise<string | null>): void => {
    if (known === promise) known = null
  }
  return {
    async use(call) {
      const used = current()
      try {
        return await call(await used)
      } catch (error) {
        if (!isExpired(error)) throw error
        forget(used)
        return call(await current())
      }
    },
  }
}

function checked(token: string | null): string | null {
  if (token !== null) assertHeaderText('token', token)
  return token
}

/** A server that is not ours may leave the details out. */
function isExpired(error: unknown): boolean {
  return isIsoplexError(error) && error.code === 'TOKEN_INVALID' && error.details?.reason === 'expired'
}
