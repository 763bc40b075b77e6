import { expect, it } from 'vitest'
import { defaults } from '../../runtime/config/defaults.ts'
import { jobSettingsOf } from '../../runtime/entry/job-settings.ts'
import { createThreadJobStore } from '../../runtime/entry/job-thread.ts'
import type { JobStore } from '../../runtime/job/store.ts'

function createMortalStore(): JobStore {
  const data = { directory: '/', settings: jobSettingsOf(defaults), logLevel: 'error' } as const
  return createThreadJobStore(data, new URL('./fixtures/mortal-jobs.ts', import.meta.url))
}

it('has its store away where the thread dies, so that jobs wait for the next one', async () => {
  const store = createMortalStore()
  expect(await store.countQueued()).toEqual({ work: 1 })
  await expect(store.sweep()).rejects.toMatchObject({
    code: 'JOB_STORE_UNAVAILABLE',
    details: { reason: 'unreachable' },
  })
  expect(await store.countQueued()).toEqual({ work: 1 })
  await store.close()
})

it('passes on what the store refuses', async () => {
  const store = createMortalStore()
  await expect(store.get('job_1', null)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' })
  await store.close()
})

it('answers nothing any more once it is closed', async () => {
  const store = createMortalStore()
  await store.close()
  await expect(store.countQueued()).rejects.toMatchObject({ code: 'DRAINING' })
})
