import type { JobEvent } from '../job/event.ts'
import { startJobBars } from './job-bars.ts'
import { createJobLines, printable } from './job-lines.ts'

/** What shows a job while it goes on. All of it is on standard error, so that the result is alone on standard output. */
export interface JobDisplay {
  /** Says which job it is. */
  begin(id: string): void
  show(event: JobEvent): void
  /** Says something of the command's own; programs do not hear it. */
  note(text: string): void
  /** Ends the display; it may be called again. */
  stop(): void
}

/** Makes a display: lines of JSON for programs, bars on a terminal, plain lines elsewhere. */
export function createJobDisplay({ json }: { readonly json: boolean }): JobDisplay {
  const { stderr } = process
  const write = (line: string): void => void stderr.write(`${line}\n`)
  if (json) {
    return {
      begin: (id) => write(JSON.stringify({ kind: 'job', data: { id } })),
      show: (event) => write(JSON.stringify(event)),
      note: () => undefined,
      stop: () => undefined,
    }
  }
  const begin = (id: string): void => write(`Job ${printable(id)}`)
  if (stderr.isTTY) return { begin, ...startJobBars(stderr) }
  const lines = createJobLines()
  return {
    begin,
    show(event) {
      const line = lines.line(event)
      if (line !== null) write(line)
    },
    note: write,
    stop: () => undefined,
  }
}
