import type { JobEvent } from '../job/event.ts'
import { startJobBars } from './job-bars.ts'
import { createJobLines } from './job-lines.ts'

/** What shows a job while it goes on. All of it is on standard error, so that the result is alone on standard output. */
export interface JobDisplay {
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
  if (json)
    return { show: (event) => write(JSON.stringify(event)), note: () => undefined, stop: () => undefined }
  if (stderr.isTTY) return startJobBars(stderr)
  const lines = createJobLines()
  return {
    show(event) {
      const line = lines.line(event)
      if (line !== null) write(line)
    },
    note: write,
    stop: () => undefined,
  }
}
