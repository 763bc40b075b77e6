import { isIsoplexError } from '../error/error.ts'
import { toWire } from '../error/wire.ts'

/** How a command speaks: to people, or to programs as JSON. */
export interface Output {
  /** Whether programs read it. */
  readonly json: boolean
  /** Says the outcome: `text` to people, `value` as one line of JSON to programs. */
  result(value: unknown, text: string): void
  /** Says something on the way; programs do not hear it. */
  note(text: string): void
}

/** Makes the output of a command. Results go to standard output, everything else to standard error. */
export function createOutput(json: boolean): Output {
  return Object.freeze({
    json,
    result: (value: unknown, text: string) =>
      void process.stdout.write(`${json ? JSON.stringify(value) : text}\n`),
    note: (text: string) => void (json || process.stderr.write(`${text}\n`)),
  })
}

/** Says why a command failed. What is not an error of ours is shown with its stack: it is a defect. */
export function printFailure(error: unknown, json: boolean): void {
  const told = isIsoplexError(error) || error instanceof TypeError
  if (json) process.stderr.write(`${JSON.stringify({ error: failureOf(error) })}\n`)
  else if (told) process.stderr.write(`isoplex: ${error.message}\n`)
  else process.stderr.write(`isoplex: ${error instanceof Error ? error.stack : String(error)}\n`)
}

/** Rows as columns of equal width, for people. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<readonly number[]>(
    (widest, row) => row.map((cell, column) => Math.max(widest[column] ?? 0, cell.length)),
    [],
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** A number of bytes as people read it. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  return `${(bytes / 1_000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

function failureOf(error: unknown): unknown {
  if (isIsoplexError(error)) return toWire(error)
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) }
}
