import { formatEntry, type LogFormat, type LogLevel } from './log-line.ts'
import { type LogRecord, toLogRecord, toLogText } from './log-value.ts'

/** Facts beside a message, by name. Any values; secrets are replaced, errors told, large things cut. */
export type LogFields = Readonly<Record<string, unknown>>

/** Writes structured lines. No call throws or waits. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  /** Also writes the stacks of errors among the fields, which no other level does. */
  error(message: string, fields?: LogFields): void
  /** A logger that adds these fields to every line; a line's own field of the same name wins. */
  child(fields: LogFields): Logger
}

/** How a logger writes. */
export interface LoggerOptions {
  /** The least grave level that is written. @default 'info' */
  readonly level?: LogLevel
  /** Takes a finished line with its line break. What it throws is dropped: a log must not fail a request. */
  readonly write: (line: string) => void
  /** How lines look; {@link selectLogFormat} chooses. @default 'json' */
  readonly format?: LogFormat
  /** The clock, in milliseconds since 1970. @default Date.now */
  readonly now?: () => number
}

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/**
 * Makes a logger. As JSON, a line holds time, level, message, then the fields; a field of one of those names
 * gets an underscore behind it.
 *
 * @example
 * const log = createLogger({ write: (line) => process.stderr.write(line) })
 * log.info('Listening', { port: 3000 })
 */
export function createLogger({
  level: threshold = 'info',
  write,
  format = 'json',
  now = Date.now,
}: LoggerOptions): Logger {
  const createWith = (inherited: LogRecord): Logger => {
    const writeAt = (level: LogLevel, message: string, own: LogFields = {}): void => {
      if (levels.indexOf(level) < levels.indexOf(threshold)) return
      const fields = { ...inherited, ...toLogRecord(own, { stacks: level === 'error' }) }
      const entry = { time: new Date(now()), level, message: toLogText(String(message)), fields }
      try {
        write(`${formatEntry(entry, format)}\n`)
      } catch {
        // A closed pipe or a full disk: nobody is left to tell.
      }
    }
    return Object.freeze({
      debug: (message: string, fields?: LogFields) => writeAt('debug', message, fields),
      info: (message: string, fields?: LogFields) => writeAt('info', message, fields),
      warn: (message: string, fields?: LogFields) => writeAt('warn', message, fields),
      error: (message: string, fields?: LogFields) => writeAt('error', message, fields),
      child: (fields: LogFields) => createWith({ ...inherited, ...toLogRecord(fields, { stacks: false }) }),
    })
  }
  return createWith({})
}

/** What decides how a log looks. */
export interface LogSurroundings {
  /** Whether the lines go to a terminal. */
  readonly terminal: boolean
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Chooses a log's looks: JSON where nobody watches, else text, coloured unless `NO_COLOR` is set. */
export function selectLogFormat({ terminal, environment }: LogSurroundings): LogFormat {
  if (!terminal) return 'json'
  return environment.NO_COLOR || environment.TERM === 'dumb' ? 'plain' : 'coloured'
}
