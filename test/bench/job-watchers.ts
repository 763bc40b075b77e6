import type { TestServer } from '../support/server.ts'
import { submitJob } from './job-server.ts'
import { treeMicroseconds } from './tree-time.ts'

/** What came of some who watched one job. */
export interface Watched {
  /** Of a hundred events, 99 reached their watcher within so many milliseconds of their report. */
  readonly p99Ms: number
  readonly p50Ms: number
  /** What the server spent on one event of one watcher, the job itself included. */
  readonly serverMicroseconds: number
}

/**
 * Lets so many watch one job that reports events, each by a connection of its own.
 *
 * @throws {Error} where one of them has not seen all.
 */
export async function watchJob(
  server: TestServer,
  watchers: number,
  { events, pauseMs }: { readonly events: number; readonly pauseMs: number },
): Promise<Watched> {
  const before = (await treeMicroseconds(server.pid)) ?? 0
  const id = await submitJob(server, '/job-events', { count: events, pauseMs })
  const seen = await Promise.all(Array.from({ length: watchers }, () => watch(server, id)))
  const short = seen.find((delays) => delays.length !== events)
  if (short) throw new Error(`A watcher has seen ${short.length} of ${events} events.`)
  const delays = seen.flat().toSorted((a, b) => a - b)
  const at = (share: number): number => delays[Math.ceil(share * delays.length) - 1] ?? 0
  const spent = ((await treeMicroseconds(server.pid)) ?? 0) - before
  return { p50Ms: at(0.5), p99Ms: at(0.99), serverMicroseconds: spent / delays.length }
}

/** Watches a job to its end; gives how many milliseconds after its report each event was here. */
async function watch(server: TestServer, id: string): Promise<number[]> {
  const url = `${new URL(server.url).origin}/-/jobs/${id}/events`
  const { body } = await fetch(url, { headers: { accept: 'application/x-ndjson' } })
  const delays: number[] = []
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    const nowMs = Date.now()
    for (const line of lines) {
      const [, atMs] = /"atMs":(\d+),"kind":"log"/.exec(line) ?? []
      if (atMs !== undefined) delays.push(nowMs - Number(atMs))
    }
  }
  return delays
}
