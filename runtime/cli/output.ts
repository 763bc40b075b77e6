import { isIsoplexError } from '../error/error.ts'
import { toWire, type WireError } from '../error/wire.ts'

/** How a command speaks: to people, or to programs as JSON. */
export interface Output {
  /** Says an outcome: `text` to people, `value` as one line of JSON to programs. */
  result(value: unknown, text: string): void
  /** Says something on the way; programs do not hear it. */
  note(text: string): void
}

/** Makes the output of a command. Results go to standard output, everything else to standard error. */
export function createOutput(json: boolean): Output {
  return Object.freeze({
    result: (value: unknown, text: string) =>
      void process.stdout.write(`${json ? JSON.stringify(value) : text}\n`),
    note: (text: string) => void (json || process.stderr.write(`${text}\n`)),
  })
}

/**
 * Lets the process go on when it cannot write: who has stopped reading wants no more, and anything else, such as a
 * full disk, shows in the exit code.
 */
export function surviveOutputErrors(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return
    printFailure(error, false)
    process.exitCode = 1
  })
  process.stderr.on('error', () => undefined)
}

/** Says on standard error why a command failed. */
export function printFailure(error: unknown, json: boolean): void {
  const text = json ? JSON.stringify({ error: failureOf(error) }) : `isoplex: ${explain(error)}`
  process.stderr.write(`${text}\n`)
}

/** A failure as programs read it; what is neither ours nor the system's is `INTERNAL`. */
export function failureOf(error: unknown): WireError {
  if (isIsoplexError(error)) return toWire(error)
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) }
}

/**
 * A failure as people read it: what is neither ours nor the system's is a defect and shows its stack. What came from
 * elsewhere in it cannot command a terminal.
 */
export function explain(error: unknown): string {
  return explanationOf(error).replace(/(?![\n\t])\p{Cc}/gu, ' ')
}

function explanationOf(error: unknown): string {
  if (isIsoplexError(error) || isSystemError(error)) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** Rows as columns of equal width, for people. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, Bun.stringWidth(cell))
    }
  }
  const pad = (cell: string, column: number): string =>
    cell + ' '.repeat((widths[column] ?? 0) - Bun.stringWidth(cell))
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n')
}

/** A number of bytes as people read it. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let [count, power] = [bytes, 0]
  // What rounds to a thousand of a unit is one of the next.
  while (Number(count.toFixed(power === 0 ? 0 : 1)) >= 1_000 && power < units.length - 1) {
    count /= 1_000
    power += 1
  }
  return `${count.toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error
}
