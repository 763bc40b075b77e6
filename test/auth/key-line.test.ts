import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatKeyLines, type KeyLine, parseKeyLines } from '../../runtime/auth/key-line.ts'
import { idOfSecret } from '../../runtime/auth/project-key.ts'

const lineOf = (byte: number, more: Partial<KeyLine> = {}): KeyLine => {
  const secret = new Uint8Array(32).fill(byte)
  return { id: idOfSecret(secret), secret, lifeSeconds: 0, untilSeconds: null, ...more }
}

describe('parseKeyLines', () => {
  it('reads what formatKeyLines writes', () => {
    const facts = fc.record({
      lifeSeconds: fc.nat({ max: 999_999_999_999 }),
      untilSeconds: fc.option(fc.nat({ max: 999_999_999_999 })),
    })
    fc.assert(
      fc.property(fc.array(facts, { minLength: 1, maxLength: 32 }), (all) => {
        const lines = all.map((more, index) =>
          lineOf(index, index === 0 ? { ...more, untilSeconds: null } : more),
        )
        expect(parseKeyLines(formatKeyLines(lines), 'key')).toEqual(lines)
      }),
    )
  })

  it('reads a file of one secret alone, with a line break at its end or without', () => {
    const text = Buffer.alloc(32, 7).toString('base64url')
    for (const whole of [text, `${text}\n`]) expect(parseKeyLines(whole, 'key')).toEqual([lineOf(7)])
    expect(formatKeyLines([lineOf(7)])).toBe(`${text}\n`)
  })

  it('refuses more than 32 keys', () => {
    const lines = Array.from({ length: 33 }, (_, byte) => lineOf(byte))
    expect(() => parseKeyLines(formatKeyLines(lines), 'key')).toThrow(/holds no keys/)
  })
})
