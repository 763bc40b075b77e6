import { isatty } from 'node:tty'
import { createLogger, type Logger, selectLogFormat } from '../observe/log.ts'
import type { LogLevel } from '../observe/log-line.ts'

/**
 * The log of a process or thread: lines on its error output, coloured on a terminal and JSON elsewhere. Where
 * whoever read it has gone, or the disk is full, nothing is said; a process whose threads log needs a log of its
 * own for that.
 */
export function createProcessLog(level: LogLevel): Logger {
  const { stderr } = process
  if (!stderr.listeners('error').includes(ignore)) stderr.on('error', ignore)
  return createLogger({
    level,
    // A thread's own stream does not know what it writes to.
    format: selectLogFormat({ terminal: isatty(2), environment: process.env }),
    write: (line) => void stderr.write(line),
  })
}

/** Unheard, the error of a closed pipe would end the process. */
function ignore(): void {}
