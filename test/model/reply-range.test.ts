import { describe, expect, it } from 'vitest'
import {
  conditionOf,
  contentLengthOf,
  contentRangeOf,
  rangeValidatorOf,
  retryAfterMsOf,
} from '../../runtime/model/reply-range.ts'

const headers = (fields: Readonly<Record<string, string>>): Headers => new Headers(fields)
const long = 'Sun, 06 Nov 1994 08:49:37 GMT'
const soon = 'Sun, 06 Nov 1994 08:49:38 GMT'
const later = 'Sun, 06 Nov 1994 08:50:37 GMT'

describe('a validator for ranges', () => {
  it.each([
    [{ etag: '"a"', 'last-modified': long, date: later }, '"a"'],
    [{ etag: 'W/"a"', 'last-modified': long, date: later }, null],
    [{ 'last-modified': long, date: later }, long],
    [{ 'last-modified': long, date: soon }, null],
    [{ 'last-modified': long }, null],
    [{ 'last-modified': 'yesterday', date: later }, null],
    [{}, null],
  ])('of %j is %j', (fields, validator) => {
    expect(rangeValidatorOf(headers(fields as Record<string, string>))).toBe(validator)
  })
})

it('asks by the entity tag, else by the date', () => {
  expect(conditionOf({ etag: 'W/"a"', lastModified: long })).toEqual({ 'if-none-match': 'W/"a"' })
  expect(conditionOf({ etag: null, lastModified: long })).toEqual({ 'if-modified-since': long })
  expect(conditionOf({ etag: null, lastModified: null })).toEqual({})
})

it.each([
  ['bytes 5-9/10', { firstByte: 5, lastByte: 9, totalBytes: 10 }],
  ['bytes 5-9/*', { firstByte: 5, lastByte: 9, totalBytes: null }],
  ['bytes */10', null],
  ['items 5-9/10', null],
  ['bytes 5-9', null],
  ['bytes -5-9/10', null],
  [`bytes 5-${'9'.repeat(40)}/10`, null],
])('reads the range %j', (text, range) => {
  expect(contentRangeOf(headers({ 'content-range': text }))).toEqual(range)
})

it.each([
  ['7', 7],
  ['0', 0],
  ['-1', null],
  ['7, 7', null],
  ['1e3', null],
])('reads the length %j', (text, length) => {
  expect(contentLengthOf(headers({ 'content-length': text }))).toBe(length)
})

it.each([
  ['7', 7_000],
  ['0', 0],
  [later, 60_000],
  [long, 0],
  ['soon', null],
  ['-7', null],
])('reads the wish %j to be left alone', (text, waitMs) => {
  const wish = retryAfterMsOf(headers({ 'retry-after': text }), Date.parse(long))
  expect(wish).toBe(waitMs)
})
