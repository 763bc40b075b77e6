import { expect, it } from 'vitest'
import { isForBrowsers } from '../../runtime/model/browser-mark.ts'

it('takes nothing but true for the mark', () => {
  expect(isForBrowsers({ browser: true, other: false })).toBe(true)
  for (const browser of [undefined, false, null, 'true', 1, {}, [true]]) {
    expect(isForBrowsers({ browser })).toBe(false)
  }
  expect(isForBrowsers({})).toBe(false)
})
