import { isRecord } from './schema.ts'

/** Values as a table: a column for each member that some of them have. */
export interface ValueTable {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

const mostColumns = 12
const mostCharacters = 80

/** Lays values out as a table; those that have no members are in one column. */
export function tableOf(values: readonly unknown[]): ValueTable {
  const names = new Set(values.flatMap((value) => (isPlainRecord(value) ? Object.keys(value) : [])))
  const columns = [...names].slice(0, mostColumns)
  if (columns.length === 0 || !values.every(isPlainRecord))
    return { columns: ['value'], rows: values.map((value) => [cellOf(value)]) }
  const rows = values.map((value) =>
    columns.map((name) => (Object.hasOwn(value, name) ? cellOf(value[name]) : '')),
  )
  return { columns, rows }
}

function cellOf(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text
}

function isPlainRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return isRecord(value) && !Array.isArray(value)
}
