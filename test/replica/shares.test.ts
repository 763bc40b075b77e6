import { expect, it } from 'vitest'
import { Shares } from '../../runtime/replica/shares.ts'

it('counts for each principal what has come and has not been answered', () => {
  const shares = new Shares()
  for (const principal of ['a', 'a', 'b']) shares.add(principal)
  shares.remove('a')
  expect([shares.of('a'), shares.of('b'), shares.of('c')]).toEqual([1, 1, 0])
  shares.remove('a')
  shares.remove('b')
  expect([shares.of('a'), shares.of('b')]).toEqual([0, 0])
})
