import { relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A place in a source file: relative to the project, lines and columns from 1. */
export interface SourcePlace {
  readonly file: string
  readonly line: number | null
  readonly column: number | null
}

/** What is wrong with a function file, and where. `reason` is one line. */
export interface Mistake {
  readonly place: SourcePlace
  readonly reason: string
}

const longestReason = 500

/** Makes a mistake; its reason becomes one line of printable text. */
export function toMistake(place: SourcePlace, reason: string): Mistake {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a thrown message holds must not steer a terminal.
  const line = reason.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
  return {
    place,
    reason:
      line.length > longestReason ? `${line.slice(0, longestReason - 1)}…` : line || 'No reason was given.',
  }
}

/** The place of a whole file. */
export function placeOf(file: string): SourcePlace {
  return { file, line: null, column: null }
}

/** A path relative to the project, with forward slashes. */
export function toProjectPath(projectDirectory: string, path: string): string {
  return relative(projectDirectory, path).split(sep).join('/')
}

/**
 * The innermost place of an error within some source files: where a function's own code threw, or called what
 * threw. `null` where none of them is on the stack.
 */
export function locateError(
  error: unknown,
  projectDirectory: string,
  sources: readonly string[],
): SourcePlace | null {
  if (!(error instanceof Error)) return null
  for (const frame of framesOf(error)) {
    const file = toProjectPath(projectDirectory, frame.path)
    if (sources.includes(file)) return { file, line: frame.line, column: frame.column }
  }
  return null
}

/** The place of the first match of a pattern in a text. */
export function locateText(file: string, text: string, pattern: RegExp): SourcePlace | null {
  const index = text.search(pattern)
  if (index < 0) return null
  const before = text.slice(0, index).split('\n')
  return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

interface Frame {
  readonly path: string
  readonly line: number
  readonly column: number
}

function framesOf(error: Error): readonly Frame[] {
  // What is thrown need not be what it claims to be.
  return String(error.stack)
    .split('\n')
    .flatMap((text) => {
      const [, place, line, column] = /^\s+at [^/]*?((?:file:\/\/)?\/.+):(\d+):(\d+)\)?$/.exec(text) ?? []
      if (place === undefined) return []
      const path = place.startsWith('file://') ? fileURLToPath(place) : resolve(place)
      return [{ path, line: Number(line), column: Number(column) }]
    })
}
