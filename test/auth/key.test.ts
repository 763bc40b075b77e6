import { expect, it } from 'vitest'
import { createKeySource, type TokenKey } from '../../runtime/auth/key.ts'
import { key as projectKey } from './forged-token.ts'

const make = (id: string | null, algorithm: TokenKey['algorithm']): TokenKey => ({
  id,
  algorithm,
  key: projectKey.secret,
  untilMs: Infinity,
})
const [named, nameless, other] = [make('a', 'HS256'), make(null, 'HS256'), make('a', 'RS256')]
const source = createKeySource([named, nameless, other])

it('gives the keys of an algorithm and an id', () => {
  expect(source.select('HS256', 'a')).toEqual([named])
  expect(source.select('RS256', 'a')).toEqual([other])
  expect(source.select('HS256', 'b')).toEqual([])
  expect(source.select('ES256', 'a')).toEqual([])
})

it('gives all keys of an algorithm without an id, those first that have none', () => {
  expect(source.select('HS256', undefined)).toEqual([nameless, named])
})

it('names each algorithm once', () => {
  expect(source.algorithms).toEqual(['HS256', 'RS256'])
})
