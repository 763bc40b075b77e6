import { FormatRegistry, Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { createChecker } from '../../runtime/define/check.ts'
import { formatNames } from '../../runtime/define/format.ts'

const good: Readonly<Record<string, readonly string[]>> = {
  date: ['2024-02-29', '1999-12-31', '0001-01-01'],
  time: ['00:00:00Z', '23:59:60Z', '12:30:15.123+02:00', '12:30:15z'],
  'date-time': ['2024-02-29T12:00:00Z', '2024-01-01t00:00:00.5-08:00'],
  email: ['ada@example.org', 'a.b+c@sub.example.org', 'häß@example.org', 'x@localhost'],
  uuid: ['123e4567-e89b-12d3-a456-426614174000', '123E4567-E89B-12D3-A456-426614174000'],
  uri: ['https://example.org/a?b#c', 'urn:isbn:1', 'mailto:a@b.org', 'http://[::1]:80/'],
  hostname: ['example.org', 'localhost', 'a-b.example', 'xn--bcher-kva.example', '1.example', 'a'],
  ipv4: ['0.0.0.0', '255.255.255.255', '192.168.1.10'],
  ipv6: ['::', '::1', '2001:db8::8a2e:370:7334', '::ffff:192.0.2.1', 'FE80::1'],
  byte: ['', 'AA==', 'AAA=', 'AAAA', 'a+/0'],
}

const bad: Readonly<Record<string, readonly string[]>> = {
  date: ['2023-02-29', '2024-13-01', '2024-1-1', '2024-01-01T00:00:00Z', '', '2024-01-01\n'],
  time: ['24:00:00Z', '12:60:00Z', '12:00:61Z', '12:00:00', '12:00Z', '12:00:00+24:00', ''],
  'date-time': ['2024-02-30T12:00:00Z', '2024-02-01 12:00:00Z', '2024-02-01', '2024-02-01T12:00:00', ''],
  email: [
    'ada',
    '@example.org',
    'ada@',
    'a b@example.org',
    'ada@-',
    'ada@exa_mple',
    'ada@a..b',
    'ada@a\n',
    'a@b@c',
    `${'a'.repeat(65)}@b`,
  ],
  uuid: ['123e4567e89b12d3a456426614174000', '{123e4567-e89b-12d3-a456-426614174000}', '', 'g'.repeat(36)],
  uri: ['example.org', '/a', 'http://a b', 'http://a\n.org', 'x: y', 'http://exämple.org', 'http://', ''],
  hostname: ['-a', 'a-', 'a..b', '.a', 'a.', 'a_b', 'a b', '', 'a'.repeat(64), `${'a.'.repeat(127)}a`],
  ipv4: ['1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.4.', '1.2.3.', ' 1.2.3.4', '1.2.3.4\n', ''],
  ipv6: ['1.2.3.4', ':', ':::', '1::2::3', '::1]/[::1', '::1]:80/?[', 'g::', '::1%eth0', '[::1]', ''],
  byte: ['A', 'AA', 'AAA', 'A===', '====', 'AA==AA==', 'AA-_', 'AA A', 'AAAA\n'],
}

// The query makes it another module, which is evaluated once more.
const afresh = '../../runtime/define/format.ts?afresh'

function fits(format: string, text: string): boolean {
  return createChecker(Type.String({ format })).issues(text).length === 0
}

describe('the formats', () => {
  it('are those of the table', () => {
    expect(formatNames).toEqual(Object.keys(good))
    expect(Object.keys(bad)).toEqual(formatNames)
  })

  for (const [format, texts] of Object.entries(good)) {
    it.each(texts.map((text) => [text]))(`take %j as ${format}`, (text) => {
      expect(fits(format, text)).toBe(true)
    })
  }

  for (const [format, texts] of Object.entries(bad)) {
    it.each(texts.map((text) => [text]))(`refuse %j as ${format}`, (text) => {
      expect(fits(format, text)).toBe(false)
    })
  }

  it('take base64 text of tens of megabytes', () => {
    expect(fits('byte', 'AAAA'.repeat(8_000_000))).toBe(true)
    expect(fits('byte', `${'AAAA'.repeat(8_000_000)}AA-=`)).toBe(false)
  })

  it.each(formatNames.map((format) => [format]))(
    'refuse a long hostile text as %s in little time',
    (format) => {
      const started = performance.now()
      for (const text of ['a.', '1:', 'a-', 'a@', '1.', '0'].map((part) => `${part.repeat(200_000)}!`)) {
        expect(fits(format, text)).toBe(false)
      }
      expect(performance.now() - started).toBeLessThan(2_000)
    },
  )

  it('name the format that a text does not have', () => {
    expect(createChecker(Type.String({ format: 'uuid' })).issues('no')).toEqual([
      { path: '', message: "Expected string to match 'uuid' format" },
    ])
  })

  it('refuse every text under a format that nobody registered', () => {
    expect(createChecker(Type.String({ format: 'hexagon' })).issues('x')).toEqual([
      { path: '', message: "Unknown format 'hexagon'" },
    ])
  })

  it('leave a format of the project as it is', async () => {
    const before = FormatRegistry.Get('date')
    FormatRegistry.Set('date', (text) => text === 'today')
    try {
      await import(afresh)
      expect(fits('date', 'today')).toBe(true)
      expect(fits('date', '2024-01-01')).toBe(false)
    } finally {
      if (before) FormatRegistry.Set('date', before)
    }
  })
})
