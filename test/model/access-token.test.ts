import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { createAccessToken, hashAccessToken } from '../../runtime/model/access-token.ts'
import { redacted, redactText } from '../../runtime/observe/redaction.ts'

it('is told by its prefix and holds 256 bits', () => {
  const tokens = Array.from({ length: 100 }, createAccessToken)
  expect(new Set(tokens).size).toBe(100)
  for (const token of tokens) {
    expect(token).toMatch(/^isoplexat_[A-Za-z0-9_-]{43}$/)
    expect(Buffer.from(token.slice('isoplexat_'.length), 'base64url')).toHaveLength(32)
  }
})

it('is hidden by the log wherever it stands', () => {
  const token = createAccessToken()
  for (const [before, after] of [
    ['', ''],
    ['Synapse-Access-Token: Token ', '\r\n'],
    ['https://a.example/?token=', '&a=b'],
    ['{"token":"', '"}'],
  ]) {
    expect(redactText(`${before}${token}${after}`)).toBe(`${before}${redacted}${after}`)
  }
})

it('is known by its SHA-256', () => {
  expect(hashAccessToken('isoplexat_é')).toEqual(createHash('sha256').update('isoplexat_é', 'utf8').digest())
})
