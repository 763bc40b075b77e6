import type { CatalogFunction, Slot } from './catalog.ts'
import { isRecord } from './schema.ts'

/** What a person has filled in: a value for each part of a call, `undefined` for none. */
export type Draft = Readonly<Record<Slot, unknown>>

/** The path and query of a call. A parameter that is not filled in stays a name in braces. */
export function urlOf({ path }: Pick<CatalogFunction, 'path'>, { params, query }: Draft): string {
  const given = isRecord(params) ? params : {}
  const filled = path.replaceAll(/\{([^}]*)\}/g, (whole, name: string) => {
    const value = Object.hasOwn(given, name) ? given[name] : undefined
    return value === undefined ? whole : encodeURIComponent(textOf(value))
  })
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(isRecord(query) ? query : {})) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined) search.append(name, textOf(item))
    }
  }
  return search.size === 0 ? filled : `${filled}?${search}`
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
