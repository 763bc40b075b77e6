import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isAlive } from '../support/process-table.ts'
import { startServer, type TestProject, type TestServer, until } from '../support/server.ts'
import {
  ended,
  eventsOf,
  jobProcessesOf,
  look,
  makeJobsProject,
  submit,
  surveySteps,
} from './jobs-project.ts'

const kills = 100
/** Every so many kills it is the whole gateway. */
const gatewayEvery = 8
const params = { count: 40, pauseMs: 2 }
const expected = { sum: 820, squares: 22_140, processed: 80 }

let project: TestProject
beforeEach(async () => {
  project = await makeJobsProject({}, { maxJobAttempts: 1000 })
})
afterEach(() => project[Symbol.asyncDispose]())

/** Numbers from 0 to 1 that are the same in each run (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Waits until a moment in the life of a process; `null` where it ends before. */
async function momentOf(pid: number, moment: number): Promise<number | null> {
  const { promise, resolve } = Promise.withResolvers<void>()
  setTimeout(resolve, moment)
  await promise
  return isAlive(pid) ? pid : null
}

/** Waits for the process of a job; `null` where the job ends first. */
async function processOf(server: TestServer, id: string): Promise<number | null> {
  let pid: number | undefined
  let over = false
  await until(async () => {
    ;[pid] = jobProcessesOf(server)
    over = pid === undefined && (await look(server, id)).endedMs !== null
    return pid !== undefined || over
  })
  return pid ?? null
}

describe('jobs whose process or server is killed', () => {
  it('end right, with each step recorded once, wherever in their life that is', async () => {
    const random = createRandom(20_261_122)
    let server = await startServer(project, 'serve')
    const port = new URL(server.url).port
    try {
      const first = await submit(server, '/survey', params)
      const { createdMs, endedMs } = await ended(server, first)
      const lifeMs = endedMs - createdMs
      const jobs = [first]
      /** How many steps had been recorded at each kill. */
      const killedAt: number[] = []
      while (killedAt.length < kills) {
        const id = await submit(server, '/survey', params)
        jobs.push(id)
        while (killedAt.length < kills) {
          const pid = await processOf(server, id)
          if (pid === null) break
          const victim = await momentOf(pid, random() * lifeMs)
          if (victim === null) continue
          killedAt.push((await look(server, id)).steps.length)
          if (killedAt.length % gatewayEvery !== 0) process.kill(victim, 'SIGKILL')
          else {
            await server.end('SIGKILL')
            server = await startServer(project, 'serve', ['--port', port])
          }
          await until(() => !isAlive(victim))
        }
      }
      for (const id of jobs) await expectRight(server, id)
      await expectToldOfRepeats(jobs)
      for (const recorded of surveySteps.keys()) expect(killedAt).toContain(recorded)
    } finally {
      await server[Symbol.asyncDispose]()
    }
  }, 180_000)
})

async function expectRight(server: TestServer, id: string): Promise<void> {
  const job = await ended(server, id)
  expect(job).toMatchObject({ state: 'succeeded', error: null, progress: { overall: 100 } })
  expect(job.steps.map(({ name, state }: { name: string; state: string }) => [name, state])).toEqual(
    surveySteps.map((name) => [name, 'done']),
  )
  expect((await server.call(`/-/jobs/${id}/result`)).json).toEqual(expected)
  expect((await server.call(`/-/jobs/${id}/files/report.csv`)).text).toBe('sum,820\n')
  const events = (await eventsOf(server, id)).filter(({ kind }) => kind !== 'end')
  expect(events.every(({ seq }, index) => seq > (events[index - 1]?.seq ?? 0))).toBe(true)
  const done = events.filter(({ kind, data }) => kind === 'step' && data.state === 'done')
  expect(done.map(({ data }) => data.step)).toEqual(surveySteps)
  const overall = events.filter(({ kind }) => kind === 'progress').map(({ data }) => data.overall)
  expect(overall).toEqual([100])
}

/** Each execution of a step was told a higher attempt than the one before. */
async function expectToldOfRepeats(jobs: readonly string[]): Promise<void> {
  const lines = (await readFile(join(project.directory, 'executed'), 'utf8')).trim().split('\n')
  const attempts = new Map<string, number>()
  for (const line of lines) {
    const [id, step, attempt] = line.split(' ')
    const key = `${id} ${step}`
    expect(Number(attempt), line).toBeGreaterThan(attempts.get(key) ?? 0)
    attempts.set(key, Number(attempt))
  }
  expect(attempts.size).toBe(jobs.length * surveySteps.length)
  expect(Math.max(...attempts.values())).toBeGreaterThan(1)
}
