/** Values of a path or a query by their names. */
export type TextValues = Readonly<Record<string, unknown>>

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

/** A value as it stands in a path or a query: a text as it is, anything else as JSON. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
