import { expect, it } from 'vitest'
import { freshId } from '../../runtime/client/fresh-id.ts'

it('is another one each time, fit for a header', () => {
  const ids = Array.from({ length: 1_000 }, freshId)
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/)
})
