import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { describeConfig } from '../../runtime/config/description.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const configuration = readFileSync(new URL('../../runtime/config/README.md', import.meta.url), 'utf8')

describe('the documents', () => {
  it('tell every key of the configuration as the code has it', () => {
    const rows = describeConfig().map(
      (row) => `| \`${row.key}\` | ${row.default} | ${row.expected} | ${row.description} |`,
    )
    expect(rows.filter((row) => !configuration.includes(row))).toEqual([])
  })

  it('keep the README within 250 lines', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(250)
  })
})
