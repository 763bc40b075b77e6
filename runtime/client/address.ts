import { IsoplexError } from '../error/error.ts'
import { type TextValues, textOf } from '../runner/url-text.ts'

/**
 * Fills a path such as `/hello/{name}`. Values are percent-encoded, slashes too, so that each stays where it stands.
 *
 * @throws {IsoplexError} `INPUT_INVALID` where a value is missing or would lead to another path.
 */
export function fillPath(template: string, params: TextValues): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(params, name) ? params[name] : undefined
    if (value === undefined) throw refuse(name, 'is missing')
    const text = textOf(value)
    // A dot or two are steps in a path, however they are encoded.
    if (text === '.' || text === '..') throw refuse(name, 'must not be a step in the path')
    try {
      return encodeURIComponent(text)
    } catch {
      throw refuse(name, 'is no well-formed text')
    }
  })
}

/**
 * The address of a server without a slash at its end.
 *
 * @param page where a relative address begins, in a page
 * @throws {TypeError} where it is none.
 */
export function baseUrlOf(baseUrl: string, page: string | undefined): string {
  const url = URL.canParse(baseUrl, page) ? new URL(baseUrl, page) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new TypeError(
      `"baseUrl" must be an http or https URL without credentials; got ${baseUrl.slice(0, 64)}.`,
    )
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

function refuse(name: string, what: string): IsoplexError<'INPUT_INVALID'> {
  const message = `The path parameter "${name}" ${what}.`
  return new IsoplexError('INPUT_INVALID', message, {
    details: { issues: [{ path: `/params/${name}`, message }] },
  })
}
