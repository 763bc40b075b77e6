import { expect, it } from 'vitest'
import { formatEntry, type LogEntry } from '../../runtime/observe/log-line.ts'

const entry: LogEntry = {
  time: new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678)),
  level: 'warn',
  message: 'The replica died',
  fields: { replica: 2, reason: 'signal SIGKILL' },
}
const clock = entry.time.toTimeString().slice(0, 8)

it('writes one line of JSON with time, level and message first', () => {
  expect(formatEntry(entry, 'json')).toBe(
    '{"time":"2026-01-02T03:04:05.678Z","level":"warn","message":"The replica died","replica":2,"reason":"signal SIGKILL"}',
  )
})

it('lets no field stand in for time, level or message', () => {
  const fields = { time: 'never', level: 'none', message: 'forged' }
  expect(JSON.parse(formatEntry({ ...entry, fields }, 'json'))).toEqual({
    time: '2026-01-02T03:04:05.678Z',
    level: 'warn',
    message: 'The replica died',
    time_: 'never',
    level_: 'none',
    message_: 'forged',
  })
})

it('writes one readable line for a terminal', () => {
  expect(formatEntry(entry, 'plain')).toBe(
    `${clock} WARN  The replica died replica=2 reason="signal SIGKILL"`,
  )
})

it('colours without changing the text', () => {
  const coloured = formatEntry(entry, 'coloured')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours are escape sequences.
  expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(formatEntry(entry, 'plain'))
  expect(coloured).toContain('\u001b[33mWARN')
})

it('puts stacks of an error and its cause under the line', () => {
  const cause = { name: 'Error', message: 'inner', stack: 'Error: inner\n    at b' }
  const error = { name: 'Error', message: 'outer', stack: 'Error: outer\n    at a', cause }
  const lines = formatEntry({ ...entry, fields: { error } }, 'plain').split('\n')
  expect(lines[0]).toContain(
    'error={"name":"Error","message":"outer","cause":{"name":"Error","message":"inner"}}',
  )
  expect(lines.slice(1)).toEqual(['  Error: outer', '      at a', '  Error: inner', '      at b'])
})

it('lets nothing through that a terminal would obey', () => {
  const hostile = '\u001b[2J\r\u009b31m\u202egnp.exe\u0000'
  const fields = { [hostile]: hostile, list: [hostile] }
  const text = formatEntry({ ...entry, message: hostile, fields }, 'plain')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
  expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
})

it('indents the further lines of a message, so that none can be forged', () => {
  const text = formatEntry({ ...entry, message: `broken\n${clock} INFO  forged` }, 'plain')
  expect(
    text
      .split('\n')
      .slice(1)
      .every((line) => line.startsWith('  ')),
  ).toBe(true)
})
