import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { describeConfig } from '../../runtime/config/description.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

describe('README', () => {
  it('tells every key of the configuration as the code has it', () => {
    const rows = describeConfig().map(
      (row) => `| \`${row.key}\` | ${row.default} | ${row.expected} | ${row.description} |`,
    )
    expect(rows.filter((row) => !readme.includes(row))).toEqual([])
  })

  it('has at most 250 lines', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(250)
  })
})
