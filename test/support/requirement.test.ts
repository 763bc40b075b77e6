import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { requireOrSkip } from './requirement.ts'

const before = process.env.ISOPLEX_REQUIRE

beforeEach(() => {
  process.env.ISOPLEX_REQUIRE = 'chromium, cuda'
})
afterEach(() => {
  if (before === undefined) delete process.env.ISOPLEX_REQUIRE
  else process.env.ISOPLEX_REQUIRE = before
})

describe('requireOrSkip', () => {
  it('lets tests run where the thing is here', () => {
    expect(requireOrSkip('cuda', null)).toBe(true)
    expect(requireOrSkip('ray', null)).toBe(true)
  })

  it('fails where the thing is required and absent', () => {
    expect(() => requireOrSkip('cuda', 'no device')).toThrow('asks for cuda, which is not here: no device')
    expect(() => requireOrSkip('chromium', 'none')).toThrow(/chromium/)
  })

  it('skips where the thing is absent and nobody requires it', () => {
    expect(requireOrSkip('ray', 'not installed')).toBe(false)
    process.env.ISOPLEX_REQUIRE = ''
    expect(requireOrSkip('cuda', 'no device')).toBe(false)
  })
})
