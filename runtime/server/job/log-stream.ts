import type { JobEvent } from '../../job/event.ts'

/** Gives the events after a number, the oldest first, at most as many. */
export type ReadEvents = (afterSeq: number, limit: number) => Promise<readonly JobEvent[]>

/** How a log is read. */
export interface LogStreamOptions {
  readonly read: ReadEvents
  readonly afterSeq: number
  /** Whether an event is part of it. */
  readonly takes: (event: JobEvent) => boolean
  readonly line: (event: JobEvent) => string
}

const eventsAtOnce = 500
const utf8 = new TextEncoder()

/** The log of a job as it is now, as bytes, read from the store piece by piece as somebody reads it. */
export function openLogStream({ read, afterSeq, takes, line }: LogStreamOptions): ReadableStream<Uint8Array> {
  let seen = afterSeq
  /** The next piece that says something; `null` after the last. */
  const next = async (): Promise<string | null> => {
    for (;;) {
      const events = await read(seen, eventsAtOnce)
      seen = events.at(-1)?.seq ?? seen
      const text = events.filter(takes).map(line).join('')
      if (text !== '') return text
      if (events.length < eventsAtOnce) return null
    }
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const text = await next()
          if (text === null) controller.close()
          else controller.enqueue(utf8.encode(text))
        } catch (error) {
          controller.error(error)
        }
      },
    },
    { highWaterMark: 0 },
  )
}
