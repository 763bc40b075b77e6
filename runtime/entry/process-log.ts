import { createLogger, type Logger, selectLogFormat } from '../observe/log.ts'
import type { LogLevel } from '../observe/log-line.ts'

/** The log of a process: lines on its error output, coloured on a terminal and JSON elsewhere. */
export function createProcessLog(level: LogLevel): Logger {
  return createLogger({
    level,
    format: selectLogFormat({ terminal: process.stderr.isTTY === true, environment: process.env }),
    write: (line) => void process.stderr.write(line),
  })
}
