import { expect, it } from 'vitest'
import { tableOf } from '../../runtime/playground/value-table.ts'

it('has a column for each member that some value has', () => {
  expect(
    tableOf([
      { a: 1, b: 'x' },
      { b: null, c: [1] },
    ]),
  ).toEqual({
    columns: ['a', 'b', 'c'],
    rows: [
      ['1', 'x', ''],
      ['', 'null', '[1]'],
    ],
  })
})

it.each([[[1, { a: 1 }]], [[[1], [2]]], [[null]]])('has one column for %j', (values) => {
  expect(tableOf(values)).toEqual({
    columns: ['value'],
    rows: values.map((value) => [JSON.stringify(value)]),
  })
})

it('takes names for names, and has bounds', () => {
  expect(tableOf([JSON.parse('{"__proto__":1,"toString":2}'), {}])).toEqual({
    columns: ['__proto__', 'toString'],
    rows: [
      ['1', '2'],
      ['', ''],
    ],
  })
  const wide = Object.fromEntries(Array.from({ length: 99 }, (_, index) => [`c${index}`, 'x'.repeat(500)]))
  const { columns, rows } = tableOf([wide])
  expect(columns).toHaveLength(12)
  expect(rows[0]?.[0]).toHaveLength(81)
  expect(tableOf([])).toEqual({ columns: ['value'], rows: [] })
})
