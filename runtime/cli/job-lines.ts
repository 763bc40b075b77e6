import type { JobEvent } from '../job/event.ts'
import type { CategoryProgress, JobProgress } from '../job/job.ts'
import { type ToldEvent, toldBy } from '../job/told-event.ts'
import { formatBytes } from './output.ts'

/** Progress is told again at such steps of the overall figure, in percent, or after so long. */
const stepPercent = 5
const silenceMs = 10_000

/** Turns the events of one job into lines for people who have no terminal. */
export interface JobLines {
  /** The line for an event; `null` where it says no more than the last ones did. */
  line(event: JobEvent): string | null
}

/** Makes the lines of a job: every event but progress has one, progress only now and then. */
export function createJobLines(): JobLines {
  let last: { readonly atMs: number; readonly overall: number; readonly current: string | null } | null = null
  const isNews = ({ overall, current }: JobProgress, atMs: number): boolean => {
    if (last === null || current !== last.current) return true
    const isStep = Math.floor(overall / stepPercent) > Math.floor(last.overall / stepPercent)
    return isStep || atMs - last.atMs >= silenceMs
  }
  return Object.freeze<JobLines>({
    line(event) {
      const told = toldBy(event)
      if (told === null) return null
      if (told.kind === 'progress') {
        if (!isNews(told.progress, event.atMs)) return null
        last = { ...told.progress, atMs: event.atMs }
      }
      return lineOf(told)
    },
  })
}

/** An event in a line; what came from elsewhere in it cannot command a terminal. */
export function lineOf(told: ToldEvent): string {
  switch (told.kind) {
    case 'state':
      return told.state === 'running' && told.attempt > 1 ? `running (attempt ${told.attempt})` : told.state
    case 'step':
      return printable(`step ${told.step}: ${told.state}`)
    case 'progress':
      return progressLine(told.progress)
    case 'metrics':
      return printable(`metrics of ${told.category}: ${formatValues(told.values)}`)
    case 'log':
      return printable(`${told.event} ${JSON.stringify(told.data)}`)
    case 'message':
      return printable(told.level === 'info' ? told.message : `${told.level}: ${told.message}`)
    case 'file':
      return printable(`file ${told.file.name} (${formatBytes(told.file.bytes)})`)
    case 'dropped':
      return `${told.count} events were too many and are left out`
  }
}

function progressLine({ overall, current, categories }: JobProgress): string {
  const whole = `${Math.floor(overall)} %`.padStart(5)
  const latest = current !== null && Object.hasOwn(categories, current) ? categories[current] : undefined
  return latest ? printable(`${whole}  ${current} ${formatCategory(latest)}`) : whole
}

/** How far a category is, as people read it. */
export function formatCategory({ current, total, timeRemainingSeconds }: CategoryProgress): string {
  const left = timeRemainingSeconds ? `, ${formatSeconds(timeRemainingSeconds)} left` : ''
  return `${current}/${total}${left}`
}

/** A time as people read it: `40 s`, `12 min`, `3 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 100) return `${Math.ceil(seconds)} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

function formatValues(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
}

/** A text in one line, in which nothing commands a terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trimEnd()
}
