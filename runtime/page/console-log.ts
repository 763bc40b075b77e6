import type { FunctionLog } from '../define/context.ts'

/** How lines are written. */
export interface ConsoleLogOptions {
  /** Whether lines of the level debug are written. */
  readonly debug: boolean
}

/** Makes the log of functions in a page: the console, where a developer looks. */
export function createConsoleLog({ debug }: ConsoleLogOptions): FunctionLog {
  const write =
    (level: keyof FunctionLog) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
      console[level](`[isoplex] ${message}`, fields)
  return {
    debug: debug ? write('debug') : () => undefined,
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  }
}
