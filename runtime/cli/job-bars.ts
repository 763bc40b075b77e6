import type { WriteStream } from 'node:tty'
import { MultiBar, Presets, type SingleBar } from 'cli-progress'
import type { JobEvent } from '../job/event.ts'
import type { JobProgress } from '../job/job.ts'
import { toldBy } from '../job/told-event.ts'
import { formatCategory, lineOf, printable } from './job-lines.ts'

/** Bars of one job on a terminal: one for the whole, and below it one for each category that was reported. */
export interface JobBars {
  show(event: JobEvent): void
  /** Puts a line above the bars. */
  note(text: string): void
  /** Leaves the bars as they stand; it may be called again. */
  stop(): void
}

/** More categories than this would fill the screen: the others only count in the whole. */
const mostCategories = 6
const longestName = 24

/** Draws the bars of a job. */
export function startJobBars(stream: WriteStream): JobBars {
  const bars = new MultiBar(
    {
      stream,
      format: '{name} {bar} {percentage} %  {rest}',
      barsize: 30,
      hideCursor: true,
      gracefulExit: false,
      autopadding: true,
      emptyOnZero: true,
      // What is noted above a bar takes its line, changed or not.
      forceRedraw: true,
      fps: 10,
    },
    Presets.shades_classic,
  )
  const categories = new Map<string, SingleBar>()
  const add = (name: string): SingleBar =>
    bars.create(100, 0, { name: printable(name).slice(0, longestName).padEnd(longestName), rest: '' })
  let whole: SingleBar | null = null
  let stopped = false
  const update = ({ overall, categories: reported }: JobProgress): void => {
    whole ??= add('all')
    whole.update(Math.floor(overall))
    for (const [name, category] of Object.entries(reported)) {
      if (!categories.has(name) && categories.size < mostCategories) categories.set(name, add(`  ${name}`))
      categories
        .get(name)
        ?.update(Math.floor(category.percent), { rest: printable(formatCategory(category)) })
    }
  }
  const note = (text: string): void => {
    // Before the first bar and after the last there is nothing to stay above of.
    if (whole === null || stopped) stream.write(`${text}\n`)
    else bars.log(`${text}\n`)
  }
  return {
    show(event) {
      const told = toldBy(event)
      if (told === null) return
      if (told.kind === 'progress') return update(told.progress)
      note(lineOf(told))
    },
    note,
    stop() {
      if (stopped) return
      // What was noted is written with the next drawing only.
      if (whole !== null) bars.update()
      bars.stop()
      stopped = true
    },
  }
}
