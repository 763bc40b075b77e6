import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { IsoplexError } from '../../../runtime/error/error.ts'
import { createActionHost } from '../../../runtime/job/crew/action-host.ts'
import type { ActionHost } from '../../../runtime/job/message.ts'
import type { JobStore, TakenJob } from '../../../runtime/job/store.ts'
import { noDeploymentHost } from '../no-deployments.ts'
import { actionFiles } from './action-files.ts'
import { ActionWorkshop } from './action-workshop.ts'

let workshop: ActionWorkshop
let directory: string
let taken: TakenJob
let givenUp: AbortController

beforeAll(async () => {
  workshop = await ActionWorkshop.make({ stepping: actionFiles.stepping })
  directory = await mkdtemp(join(tmpdir(), 'isoplex-host-'))
})
beforeEach(async () => {
  await workshop.submit('stepping')
  taken = await workshop.take()
  givenUp = new AbortController()
})
afterAll(async () => {
  await workshop[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

function open(store: JobStore = workshop.store): ActionHost {
  return createActionHost({
    store,
    lease: taken.lease,
    rights: {
      ...noDeploymentHost,
      describeModel: async (id) => ({ id }),
      prepareModel: async (id) => ({ id, version: '1', path: '/nowhere' }),
    },
    signal: givenUp.signal,
    firstDelayMs: 1,
    maxDelayMs: 2,
  })
}

const result = {
  success: true,
  data: {},
  error: null,
  rollbackData: {},
  skipped: false,
  timestamp: new Date(0).toISOString(),
}

it('writes to the store with its lease, and reads', async () => {
  const host = open()
  const path = join(directory, 'file')
  await writeFile(path, 'kept')
  expect(await host.beginStep('one')).toEqual({ name: 'one', attempt: 1 })
  await host.saveCheckpoint({ done: 1 })
  await host.keepFile({ name: 'a.txt', mediaType: 'text/plain', path })
  expect(await host.listFiles()).toEqual([{ name: 'a.txt', mediaType: 'text/plain', bytes: 4 }])
  await host.fetchFile('a.txt', join(directory, 'copy'))
  expect(await readFile(join(directory, 'copy'), 'utf8')).toBe('kept')
  await host.recordStep({ name: 'one', result }, {}, 'two')
  await host.report({ progress: null, metrics: { inference: { loss: 1 } }, events: [] })
  const error = { code: 'STEP_FAILED', message: 'two', step: 'two', rollbackErrors: [] } as const
  await host.beginRollback({ state: 'failed', error })
  await host.recordRollback('one', null)
  await host.finish({ state: 'failed', error, result: null })
  expect(await workshop.store.get(taken.job.id, null)).toMatchObject({
    state: 'failed',
    steps: [{ name: 'one', state: 'rolled-back' }],
    metrics: { inference: { loss: 1 } },
    error,
  })
})

it('finds models by what it was made with', async () => {
  const host = open()
  expect(await host.describeModel('five')).toEqual({ id: 'five' })
  expect(await host.prepareModel('five')).toEqual({ id: 'five', version: '1', path: '/nowhere' })
})

it('refuses what is written with a lease that is lost', async () => {
  await workshop.store.release(taken.lease, { blameless: true })
  await expect(open().saveCheckpoint(1)).rejects.toMatchObject({ code: 'LEASE_LOST' })
  await workshop.take()
  await expect(open().finish({ state: 'succeeded', error: null, result: null })).rejects.toMatchObject({
    code: 'LEASE_LOST',
  })
})

describe('while the store is not to be had', () => {
  const away = new IsoplexError('JOB_STORE_UNAVAILABLE', 'It is away.', {
    details: { retryAfterMs: 1, reason: 'unreachable' },
  })
  const full = new IsoplexError('STORAGE_FULL', 'There is no room.')

  /** The store, away for so many questions, then back. */
  function returning(errors: Error[]): JobStore {
    const { store } = workshop
    return {
      ...store,
      async saveCheckpoint(...parameters) {
        const error = errors.shift()
        if (error) throw error
        await store.saveCheckpoint(...parameters)
      },
    }
  }

  it('asks again until it is back', async () => {
    const errors = [away, full, away, away]
    await open(returning(errors)).saveCheckpoint(1)
    expect(errors).toEqual([])
  })

  it('gives up with the signal', async () => {
    const saving = open(returning(Array(100_000).fill(away))).saveCheckpoint(1)
    givenUp.abort(new Error('The job is over here.'))
    await expect(saving).rejects.toThrow('The job is over here.')
  })
})
