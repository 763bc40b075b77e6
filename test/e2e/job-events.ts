import type { JobEvent } from '../../runtime/job/event.ts'

/** An event as it was told, or the job at the end. */
export type ToldEvent = JobEvent | { readonly kind: 'end'; readonly data: Readonly<Record<string, unknown>> }

/** Reads the server-sent events of a job after a number, until the connection ends. */
export async function* readEvents(
  url: string,
  lastEventId: string,
  signal?: AbortSignal,
): AsyncGenerator<ToldEvent> {
  const headers = { 'last-event-id': lastEventId }
  const { body, status } = await fetch(url, signal ? { headers, signal } : { headers })
  if (status !== 200 || !body) throw new Error(`The events were answered with ${status}.`)
  let rest = ''
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split('\n\n')
    rest = parts.pop() ?? ''
    for (const part of parts) {
      const [, data] = /^data: (.*)$/m.exec(part) ?? []
      if (data !== undefined) yield JSON.parse(data)
    }
  }
}
