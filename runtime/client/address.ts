import { IsoplexError } from '../error/error.ts'

/** Values of a path or a query by their names. */
export type TextValues = Readonly<Record<string, unknown>>

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

/** The query of a URL with its question mark; empty where nothing is asked. A list is a name that comes several times. */
export function queryOf(query: TextValues): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined) search.append(name, textOf(item))
    }
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
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

/** A value as it stands in a path or a query: a text as it is, anything else as JSON. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

function refuse(name: string, what: string): IsoplexError<'INPUT_INVALID'> {
  const message = `The path parameter "${name}" ${what}.`
  return new IsoplexError('INPUT_INVALID', message, {
    details: { issues: [{ path: `/params/${name}`, message }] },
  })
}
