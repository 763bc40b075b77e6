/** How an access token is sent to a Synapse backend: as clients of 2026 do, or as those of 2025 do. */
export type HeaderStyle = 'authorization' | 'access-token'

/** Makes the headers of a question. Both values begin with `Token `, as every Synapse client sends them. */
export function headersOf(
  style: HeaderStyle,
  { accessToken, tenant }: { readonly accessToken: string; readonly tenant: string | null },
): Readonly<Record<string, string>> {
  const name = style === 'authorization' ? 'authorization' : 'synapse-access-token'
  return {
    accept: 'application/json',
    [name]: `Token ${accessToken}`,
    ...(tenant === null ? {} : { 'synapse-tenant': `Token ${tenant}` }),
  }
}

/** Whether a text may stand in a header: visible characters of ASCII, with spaces between. */
export function isHeaderText(text: string): boolean {
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text)
}

/** Which style a backend takes, as far as it has shown. */
export interface StyleMemory {
  /** The style to try first. */
  first(): HeaderStyle
  /** The style to try after the first was refused; `null` where it would tell nothing. */
  second(): HeaderStyle | null
  /** A token was taken in this style. */
  taken(style: HeaderStyle): void
}

/** So that bad tokens do not double the questions, and yet a backend that was replaced is found out about. */
const secondLookMs = 5_000

/**
 * Remembers which style works. While none has, both are tried; once one has, the other is tried now and then only.
 * A token that is refused in both styles says nothing of either.
 *
 * @param setting `auto` begins with the style of 2026; any other is the only one
 */
export function createStyleMemory(setting: HeaderStyle | 'auto', now: () => number): StyleMemory {
  let current: HeaderStyle = setting === 'auto' ? 'authorization' : setting
  let proven = false
  let lookedAtMs = Number.NEGATIVE_INFINITY
  return Object.freeze({
    first: () => current,
    second() {
      if (setting !== 'auto' || (proven && now() - lookedAtMs < secondLookMs)) return null
      lookedAtMs = now()
      return current === 'authorization' ? 'access-token' : 'authorization'
    },
    taken(style: HeaderStyle) {
      current = style
      proven = true
    },
  })
}
