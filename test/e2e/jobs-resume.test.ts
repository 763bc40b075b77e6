import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { zipSync } from 'fflate'
import { afterEach, describe, expect, it } from 'vitest'
import { isAlive } from '../support/process-table.ts'
import {
  makeExampleProject,
  startServer,
  type TestProject,
  type TestServer,
  until,
} from '../support/server.ts'
import { vowels } from '../support/vowels.ts'
import { waveFile } from '../support/wave-file.ts'
import {
  ended,
  eventsOf,
  jobProcessesOf,
  look,
  makeJobsProject,
  submit,
  surveySteps,
} from './jobs-project.ts'

/** Jobs that are to end alike, however often they are killed. */
interface Killing {
  readonly path: string
  readonly params: unknown
  /** The model that the submitter's token names. */
  readonly model?: string
  readonly kills: number
  /** Every so many kills it is the whole gateway. */
  readonly gatewayEvery: number
}

/** What has become of them. */
interface Killed {
  readonly server: TestServer
  readonly token: string | undefined
  /** The first was left alone. */
  readonly jobs: readonly string[]
  /** How many steps had been recorded at each kill. */
  readonly recordedAt: readonly number[]
}

const settings = { maxJobAttempts: 1000, replicas: 1, shutdownGraceMs: 0 }

let project: TestProject
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

/** Waits until a moment in the life of a process; says whether it still lives then. */
async function reaches(pid: number, momentMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<void>()
  setTimeout(resolve, momentMs)
  await promise
  return isAlive(pid)
}

/** Kills a process, unless it has ended by itself by now. */
function killInTime(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false
  }
}

/** Kills jobs at moments that are spread over as long as one lives that is left alone; `check` sees what is left. */
async function killAll(
  { path, params, model, kills, gatewayEvery }: Killing,
  check: (killed: Killed) => Promise<void>,
): Promise<void> {
  const random = createRandom(20_261_122)
  let server = await startServer(project, 'serve')
  try {
    const port = new URL(server.url).port
    const token = model === undefined ? undefined : await server.token(model, 'acme')
    const begin = (): Promise<string> => submit(server, path, params, token === undefined ? {} : { token })
    /** Waits for the process of a job; `null` where the job ends first. */
    const processOf = async (id: string): Promise<number | null> => {
      let pid: number | undefined
      await until(async () => {
        pid = jobProcessesOf(server)[0]
        return pid !== undefined || (await look(server, id, token)).endedMs !== null
      })
      return pid ?? null
    }
    const jobs = [await begin()]
    const { startedMs, endedMs } = await ended(server, jobs[0] ?? '', token)
    const recordedAt: number[] = []
    while (recordedAt.length < kills) {
      const id = await begin()
      jobs.push(id)
      while (recordedAt.length < kills) {
        const pid = await processOf(id)
        if (pid === null) break
        if (!(await reaches(pid, random() * (endedMs - startedMs)))) continue
        const recorded = (await look(server, id, token)).steps.length
        if ((recordedAt.length + 1) % gatewayEvery === 0) {
          await server.end('SIGKILL')
          server = await startServer(project, 'serve', ['--port', port])
        } else if (!killInTime(pid)) continue
        recordedAt.push(recorded)
        await until(() => !isAlive(pid))
      }
    }
    await check({ server, token, jobs, recordedAt })
  } finally {
    await server[Symbol.asyncDispose]()
  }
}

/** Each job ended as the one that was left alone. */
async function expectAlike({ server, token, jobs }: Killed, steps: readonly string[]): Promise<void> {
  const resultOf = async (id: string): Promise<unknown> =>
    (await server.call(`/-/jobs/${id}/result`, token === undefined ? {} : { token })).json
  const expected = await resultOf(jobs[0] ?? '')
  for (const id of jobs) {
    const job = await ended(server, id, token)
    expect(job).toMatchObject({ state: 'succeeded', error: null, progress: { overall: 100 } })
    expect(job.steps.map(({ name }: { name: string }) => name)).toEqual(steps)
    expect(await resultOf(id)).toEqual(expected)
    const events = await eventsOf(server, id, token)
    expect(events.every(({ seq }, index) => seq > (events[index - 1]?.seq ?? 0))).toBe(true)
    const recorded = events.filter(({ kind, data }) => kind === 'step' && data.state !== 'started')
    expect(recorded.map(({ data }) => data.step)).toEqual(steps)
    const overall = events.filter(({ kind }) => kind === 'progress').map(({ data }) => data.overall)
    expect(overall).toEqual([100])
  }
}

describe('jobs whose process or server is killed', () => {
  it('end right, with each step recorded once, wherever in their life that is: a real example', async () => {
    project = await makeExampleProject(settings)
    const spoken = new Uint8Array(waveFile([...vowels(1), ...new Array<number>(8_000).fill(0)]))
    const archive = zipSync({ 'a.wav': spoken, 'b.wav': spoken, 'c.wav': spoken })
    const params = { archive: Buffer.from(archive).toString('base64') }
    const killing = { path: '/speech-segments', params, model: 'speech', kills: 100, gatewayEvery: 12 }
    await killAll(killing, async (killed) => {
      await expectAlike(killed, ['fetch', 'decode', 'infer', 'write'])
      expect(new Set(killed.recordedAt).size).toBeGreaterThan(1)
    })
  }, 300_000)

  it('are told which of their steps run again', async () => {
    project = await makeJobsProject({}, settings)
    const killing = { path: '/survey', params: { count: 40, pauseMs: 2 }, kills: 20, gatewayEvery: 10 }
    await killAll(killing, async (killed) => {
      await expectAlike(killed, surveySteps)
      const lines = (await readFile(join(project.directory, 'executed'), 'utf8')).trim().split('\n')
      const attempts = new Map<string, number>()
      for (const line of lines) {
        const [id, step, attempt] = line.split(' ')
        const key = `${id} ${step}`
        expect(Number(attempt), line).toBeGreaterThan(attempts.get(key) ?? 0)
        attempts.set(key, Number(attempt))
      }
      expect(attempts.size).toBe(killed.jobs.length * surveySteps.length)
      expect(Math.max(...attempts.values())).toBeGreaterThan(1)
    })
  }, 300_000)
})
