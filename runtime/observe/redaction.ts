/** What stands in a log where a secret was. */
export const redacted = '[redacted]'

// A segment of a JSON web token is the base64url form of `{"…`, and that begins with these three letters.
const tokenText = /eyJ[A-Za-z0-9_.-]{13,}/g
// What `createAccessToken` of the registry makes, or a part of it.
const accessTokenText = /isoplexat_[A-Za-z0-9_-]{4,}/g
const secretEnd =
  /(?:token|authorization|secret|password|passphrase|cookie|credential|jwt|signature|apikey)s?$/
const harmlessKeys: ReadonlySet<string> = new Set(['modelkey', 'cachekey'])

/** Replaces whatever looks like a JSON web token, an access token or a part of one, wherever it stands in a text. */
export function redactText(text: string): string {
  return text.replace(tokenText, redacted).replace(accessTokenText, redacted)
}

/**
 * Whether a field's name says that its value is a secret: it ends in token, secret, password and the like, or
 * in the word key. `modelKey` and `cacheKey` are no secrets.
 */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
  const joined = words.join('')
  if (words.at(-1) === 'key' || words.at(-1) === 'keys') return !harmlessKeys.has(joined.replace(/s$/, ''))
  return secretEnd.test(joined) || joined === 'servemultiplexedmodelid'
}
