import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createProjectKey } from '../../../runtime/auth/project-key.ts'
import { createCredentialSeals } from '../../../runtime/auth/sealed-credential.ts'
import { IsoplexError } from '../../../runtime/error/error.ts'
import { type ActionHere, Crew, type CrewLimits, type CrewOptions } from '../../../runtime/job/crew/crew.ts'
import { isEnded, type Job } from '../../../runtime/job/job.ts'
import type { JobStore } from '../../../runtime/job/store.ts'
import { createLogger } from '../../../runtime/observe/log.ts'
import { createProject, type TestProject } from '../../build/project.ts'
import { isAlive } from '../../support/process-table.ts'
import { until } from '../../support/server.ts'
import { noDeployments } from '../no-deployments.ts'
import { newJob, roomy, storeKinds, type TestStore } from '../store/test-store.ts'

/** Notes that it is there, and waits for a file of its own; its rollback says what became of it. */
const holding = `
import { Type } from '@sinclair/typebox'
import { appendFileSync, existsSync } from 'node:fs'
import { defineAction, defineStep } from 'isoplex'
export default defineAction({
  params: Type.Object({ folder: Type.String(), name: Type.String() }),
  steps: [
    defineStep({
      name: 'hold',
      async execute({ params: { folder, name }, signal }) {
        appendFileSync(folder + '/begun', name + ' ' + process.pid + '\\n')
        while (!existsSync(folder + '/' + name)) {
          signal.throwIfAborted()
          await Bun.sleep(5)
        }
      },
      rollback: ({ params: { folder, name } }) => appendFileSync(folder + '/undone', name + '\\n'),
    }),
  ],
  conclude: () => 'VERSION',
})
`
const limits: CrewLimits = {
  maxConcurrentJobs: 2,
  jobTimeoutMs: 60_000,
  jobCancelGraceMs: 10_000,
  jobRollbackTimeoutMs: 10_000,
  jobLeaseMs: 60_000,
  maxJobAttempts: 3,
}
const sqlite = storeKinds.find(({ name }) => name === 'SQLite')
const seals = createCredentialSeals([await createProjectKey(new Uint8Array(32).fill(1))])

let place: TestStore
let project: TestProject
let forbidden: Set<string>
let crews: Crew[]
beforeEach(async () => {
  if (!sqlite) throw new Error('SQLite is always there')
  place = await sqlite.open()
  project = await createProject({ 'functions/hold.ts': holding })
  forbidden = new Set()
  crews = []
})
afterEach(async () => {
  for (const crew of crews) await crew.stop()
  await project[Symbol.asyncDispose]()
  await place[Symbol.asyncDispose]()
})

const build = async (): Promise<ActionHere> => {
  const builder = project.builder()
  const { functions } = await builder.build()
  const bundlePath = join(builder.bundlesDirectory, functions[0]?.bundle ?? '')
  return { name: 'hold', bundlePath, timeoutMs: null, models: [] }
}
const startCrew = (options: Partial<CrewOptions> = {}): Crew => {
  const crew = new Crew({
    store: place.store,
    models: {
      describe: async (_, model) => {
        if (forbidden.has(model)) throw new IsoplexError('MODEL_FORBIDDEN', 'no', { details: { model } })
        return {}
      },
      prepare: () => Promise.reject(new Error('no model is made ready here')),
    },
    deployments: noDeployments,
    seals,
    limits,
    environment: { PATH: process.env.PATH ?? '' },
    workDirectory: place.path('work'),
    changed: () => undefined,
    session: { provider: 'cpu', fallback: null, intraOpThreads: 1 },
    inputHosts: [],
    maxJobBytes: 10_000_000,
    strict: true,
    logLevel: 'error',
    log: createLogger({ write: () => undefined }),
    ...options,
  })
  crews.push(crew)
  return crew
}
const submit = async (name: string, models: readonly string[] = []): Promise<string> => {
  const body = new TextEncoder().encode(JSON.stringify({ folder: project.directory, name }))
  return (await place.store.submit(newJob({ function: 'hold', body, models }), roomy)).job.id
}
const lines = async (file: string): Promise<readonly string[]> => {
  const text = await readFile(join(project.directory, file), 'utf8').catch(() => '')
  return text.split('\n').filter((line) => line !== '')
}
const begun = async (): Promise<readonly string[]> =>
  (await lines('begun')).map((line) => line.split(' ')[0] ?? '')
const letGo = (name: string): Promise<void> => writeFile(join(project.directory, name), '')
const ended = async (id: string): Promise<Job> => {
  await until(async () => isEnded((await place.store.get(id, null)).state))
  return place.store.get(id, null)
}
const stateOf = async (id: string): Promise<string> => (await place.store.get(id, null)).state

describe('a crew', () => {
  it('runs as many jobs at a time as it has places, the oldest first', async () => {
    const jobs = [await submit('a'), await submit('b'), await submit('c')]
    const crew = startCrew()
    crew.follow([await build()])
    await until(async () => (await begun()).length === 2)
    expect((await begun()).toSorted()).toEqual(['a', 'b'])
    expect(await stateOf(jobs[2] ?? '')).toBe('queued')
    await letGo('b')
    await until(async () => (await begun()).includes('c'))
    await letGo('a')
    await letGo('c')
    for (const id of jobs) expect(await ended(id)).toMatchObject({ state: 'succeeded', attempt: 1 })
    await until(async () => (await readdir(place.path('work'))).length === 1)
    const [own = ''] = await readdir(place.path('work'))
    await until(async () => (await readdir(join(place.path('work'), own))).length === 0)
  })

  it('takes jobs at once when it is woken, and none where it has no places', async () => {
    const action = await build()
    const idle = startCrew({ limits: { ...limits, maxConcurrentJobs: 0 } })
    idle.follow([action])
    const id = await submit('a')
    idle.wake()
    const crew = startCrew()
    crew.follow([action])
    await letGo('a')
    crew.wake()
    expect(await ended(id)).toMatchObject({ state: 'succeeded' })
  })

  it('leaves jobs alone whose action is not there, and takes them with the code that is there then', async () => {
    const crew = startCrew()
    const id = await submit('a')
    crew.follow([])
    crew.wake()
    expect(await stateOf(id)).toBe('queued')
    await project.write({ 'functions/hold.ts': holding.replace('VERSION', 'another version') })
    crew.follow([await build()])
    await letGo('a')
    expect(await ended(id)).toMatchObject({ state: 'succeeded' })
    const { bytes } = await place.store.read(id, { kind: 'result' }, 0, 100)
    expect(new TextDecoder().decode(bytes)).toBe('"another version"')
  })

  it('tells a job that runs here at once that it is cancelled', async () => {
    const crew = startCrew()
    crew.follow([await build()])
    const id = await submit('a')
    crew.wake()
    await until(async () => (await begun()).length === 1)
    await place.store.cancel(id, null)
    crew.cancel(id)
    expect(await ended(id)).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } })
    expect(await lines('undone')).toEqual(['a'])
  })

  it('hears by the lease that a job is cancelled elsewhere', async () => {
    const crew = startCrew({ limits: { ...limits, jobLeaseMs: 1_000 } })
    crew.follow([await build()])
    const id = await submit('a')
    await until(async () => (await begun()).length === 1)
    await place.store.cancel(id, null)
    expect(await ended(id)).toMatchObject({ state: 'cancelled' })
  })

  it('goes on where its folder for scratch files was removed', async () => {
    const crew = startCrew()
    crew.follow([await build()])
    await letGo('a')
    expect(await ended(await submit('a'))).toMatchObject({ state: 'succeeded' })
    const [own = ''] = await readdir(place.path('work'))
    await until(async () => (await readdir(join(place.path('work'), own))).length === 0)
    await rm(place.path('work'), { recursive: true })
    const id = await submit('a')
    crew.wake()
    expect(await ended(id)).toMatchObject({ state: 'succeeded', attempt: 1 })
  })

  it('fails a job whose submitter has no right to a model, before anything of it runs', async () => {
    forbidden.add('secret')
    const crew = startCrew()
    crew.follow([await build()])
    const id = await submit('a', ['free', 'secret'])
    crew.wake()
    expect(await ended(id)).toMatchObject({
      state: 'failed',
      error: { code: 'MODEL_FORBIDDEN', details: { model: 'secret' }, step: null },
      steps: [],
    })
    expect(await begun()).toEqual([])
  })

  it('fails a job whose credential can no longer be read', async () => {
    const crew = startCrew()
    crew.follow([await build()])
    const credential = new Uint8Array(80)
    const { job } = await place.store.submit(newJob({ function: 'hold', credential }), roomy)
    crew.wake()
    expect(await ended(job.id)).toMatchObject({ state: 'failed', error: { code: 'TOKEN_INVALID' } })
  })

  it('ends the process of a job that another one has taken', async () => {
    const crew = startCrew({ limits: { ...limits, jobLeaseMs: 1_000 } })
    const action = await build()
    crew.follow([action])
    const id = await submit('a')
    await until(async () => (await begun()).length === 1)
    const pid = Number((await lines('begun'))[0]?.split(' ')[1])
    const { fence } = (await place.ask(`SELECT fence FROM job WHERE id = '${id}'`))[0] ?? {}
    crew.follow([])
    await place.store.release({ jobId: id, fence: Number(fence) }, { blameless: true })
    await until(() => !isAlive(pid))
    expect(await stateOf(id)).toBe('queued')
    expect(await lines('undone')).toEqual([])
  })

  it('does not take its own jobs anew where the store was away for longer than their lease', async () => {
    let away = false
    let looks = 0
    const gone = new IsoplexError('JOB_STORE_UNAVAILABLE', 'It is away.', {
      details: { retryAfterMs: 1, reason: 'unreachable' },
    })
    const store: JobStore = {
      ...place.store,
      renew: async (...asked) => (away ? Promise.reject(gone) : await place.store.renew(...asked)),
      take: (options) => {
        looks += 1
        return place.store.take(options)
      },
    }
    const crew = startCrew({ store, limits: { ...limits, jobLeaseMs: 300 } })
    crew.follow([await build()])
    const id = await submit('a')
    crew.wake()
    await until(async () => (await begun()).length === 1)
    away = true
    await place.ask("UPDATE job SET lease_until_ms = 0 WHERE state = 'running'")
    looks = 0
    crew.wake()
    await until(() => looks > 1)
    away = false
    await letGo('a')
    expect(await ended(id)).toMatchObject({ state: 'succeeded', attempt: 1 })
  })

  it('goes by the clock of the store where its own is another', async () => {
    const store: JobStore = {
      ...place.store,
      take: async (options) => {
        const taken = await place.store.take(options)
        return taken && { ...taken, job: { ...taken.job, startedMs: Date.now() - 3_600_000 } }
      },
    }
    const crew = startCrew({ store })
    crew.follow([await build()])
    const id = await submit('a')
    await letGo('a')
    crew.wake()
    expect(await ended(id)).toMatchObject({ state: 'succeeded' })
  })

  it('gives its jobs back without blame when it stops, and takes no more', async () => {
    const crew = startCrew()
    crew.follow([await build()])
    const [id, next] = [await submit('a'), await submit('b')]
    crew.wake()
    await until(async () => (await begun()).length === 2)
    await crew.stop()
    expect([await stateOf(id), await stateOf(next)]).toEqual(['queued', 'queued'])
    for (const line of await lines('begun')) expect(isAlive(Number(line.split(' ')[1]))).toBe(false)
    crew.wake()
    expect(await readdir(place.path('work'))).toEqual([])
    const taken = await place.store.take({ worker: 'test', functions: ['hold'], leaseMs: 1_000 })
    expect(taken).toMatchObject({ attemptsInVain: 1, runningStep: { name: 'hold' } })
  })
})
