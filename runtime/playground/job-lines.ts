import type { JobEvent } from 'isoplex/client'
import { isRecord } from './schema.ts'

/** A line of what a job has told. */
export interface JobLine {
  readonly seq: number
  readonly atMs: number
  /** What it is about: the level of a message, the name of an event, the kind else. */
  readonly label: string
  readonly level: 'info' | 'warning' | 'danger' | 'success' | 'event'
  readonly text: string
}

/** The latest lines, and how many came before them. */
export interface JobLines {
  readonly lines: readonly JobLine[]
  readonly dropped: number
}

/** The page keeps this many lines. */
const mostLines = 500
const mostCharacters = 2_000
const levels = ['info', 'warning', 'danger', 'success'] as const

/** No lines yet. */
export const noLines: JobLines = Object.freeze({ lines: Object.freeze([]), dropped: 0 })

/** Adds what is to be read of some events; progress and metrics are shown elsewhere. */
export function addLines(known: JobLines, events: readonly JobEvent[]): JobLines {
  const all = [...known.lines, ...events.flatMap((event) => lineOf(event) ?? [])]
  const extra = Math.max(0, all.length - mostLines)
  return { lines: all.slice(extra), dropped: known.dropped + extra }
}

function lineOf({ seq, atMs, kind, data }: JobEvent): JobLine | null {
  const line = (label: string, text: string, level: JobLine['level'] = 'event'): JobLine => ({
    seq,
    atMs,
    label: label.slice(0, 64),
    level,
    text: text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text,
  })
  switch (kind) {
    case 'message': {
      const level = levels.find((each) => each === data.level) ?? 'info'
      return line(level, String(data.message), level)
    }
    case 'log':
      return line(String(data.event), isEmpty(data.data) ? '' : JSON.stringify(data.data))
    case 'step':
      return line('step', `${data.step} ${data.state}`)
    case 'state':
      return line('state', `${data.state}${Number(data.attempt) > 1 ? `, attempt ${data.attempt}` : ''}`)
    case 'file':
      return line('file', String(data.name))
    case 'dropped':
      return line('dropped', `${data.count} events were too many and are not kept`, 'warning')
    default:
      return null
  }
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (isRecord(value) && Object.keys(value).length === 0)
}
