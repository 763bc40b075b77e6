import { expect, it } from 'vitest'
import { errorCodes } from '../../runtime/error/codes.ts'
import { errorTitles } from '../../runtime/error/titles.ts'

it('gives each code a title of its own, for people', () => {
  expect(Object.keys(errorTitles)).toEqual(Object.keys(errorCodes))
  const titles = Object.values(errorTitles)
  expect(new Set(titles).size).toBe(titles.length)
  for (const title of titles) expect(title).toMatch(/^[A-Z][^.]+$/)
})
