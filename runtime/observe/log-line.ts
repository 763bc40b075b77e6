import type { LogRecord, LogValue } from './log-value.ts'

/** How grave an entry is; a logger writes its own level and everything graver. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** One thing that was logged, already plain and without secrets. */
export interface LogEntry {
  readonly time: Date
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogRecord
}

/** `json` for machines; `plain` and `coloured` one-liners for a terminal. */
export type LogFormat = 'json' | 'plain' | 'coloured'

const colours: Readonly<Record<LogLevel, number>> = { debug: 90, info: 32, warn: 33, error: 31 }
const reserved: ReadonlySet<string> = new Set(['time', 'level', 'message'])
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal.
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** Writes an entry as one line of JSON, or as text for people. Without the final line break. */
export function formatEntry(entry: LogEntry, format: LogFormat): string {
  return format === 'json' ? formatJson(entry) : formatText(entry, format === 'coloured')
}

function formatJson({ time, level, message, fields }: LogEntry): string {
  const renamed = Object.entries(fields).map(([name, value]) => [
    reserved.has(name) ? `${name}_` : name,
    value,
  ])
  return JSON.stringify({ time: time.toISOString(), level, message, ...Object.fromEntries(renamed) })
}

function formatText({ time, level, message, fields }: LogEntry, coloured: boolean): string {
  const paint = (code: number, text: string): string => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text)
  const { stacks, rest } = splitStacks(fields)
  const line = [
    paint(90, time.toTimeString().slice(0, 8)),
    paint(colours[level], level.toUpperCase().padEnd(5)),
    printable(message),
    ...Object.entries(rest).map(
      ([name, value]) => `${paint(90, `${printable(name)}=`)}${formatValue(value)}`,
    ),
  ].join(' ')
  return [line, ...stacks.map((stack) => paint(90, `  ${printable(stack)}`))].join('\n')
}

/** Takes the stacks of errors and of their causes out of the fields: on a terminal they follow the line. */
function splitStacks(fields: LogRecord): { readonly stacks: readonly string[]; readonly rest: LogRecord } {
  const stacks: string[] = []
  const rest = Object.entries(fields).map(([name, value]): [string, LogValue] => {
    if (!isRecord(value) || typeof value.stack !== 'string') return [name, value]
    const { stack, ...facts } = value
    const inner = splitStacks(facts)
    stacks.push(value.stack, ...inner.stacks)
    return [name, inner.rest]
  })
  return { stacks, rest: Object.fromEntries(rest) }
}

function formatValue(value: LogValue): string {
  return printable(typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value))
}

/** Escapes what a terminal would obey, so that a request cannot forge a line; further lines are indented. */
function printable(text: string): string {
  return text
    .replace(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replaceAll('\n', '\n  ')
}

function isRecord(value: LogValue): value is LogRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
