import { expect, it } from 'vitest'
import { assertHeaderText } from '../../runtime/client/header-text.ts'

it.each(['', 'a b', 'secret\n', 'sécret', 5 as never])(
  'refuses what no header carries, and does not show it: %j',
  (text) => {
    expect(() => assertHeaderText('token', text)).toThrow(
      new TypeError('"token" must be made of visible ASCII characters, without spaces.'),
    )
  },
)

it('takes what a header carries', () => {
  expect(() => assertHeaderText('stickyKey', 'ada!~')).not.toThrow()
})
