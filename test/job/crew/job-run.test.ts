import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createProjectKey } from '../../../runtime/auth/project-key.ts'
import { createCredentialSeals } from '../../../runtime/auth/sealed-credential.ts'
import { Crew } from '../../../runtime/job/crew/crew.ts'
import { isEnded } from '../../../runtime/job/job.ts'
import { createLogger } from '../../../runtime/observe/log.ts'
import { createProject } from '../../build/project.ts'
import { until } from '../../support/server.ts'
import { noDeployments } from '../no-deployments.ts'
import { newJob, roomy, storeKinds } from '../store/test-store.ts'

/** Fails in its last step; the rollback of the one before fails, that of another succeeds, that of the first never ends. */
const stuck = `
import { defineAction, defineStep } from 'isoplex'
const refuse = (why) => () => { throw new Error(why) }
export default defineAction({
  steps: [
    defineStep({ name: 'one', execute: () => undefined, rollback: () => new Promise(() => undefined) }),
    defineStep({ name: 'two', execute: () => undefined, rollback: () => undefined }),
    defineStep({ name: 'three', execute: () => undefined, rollback: refuse('no way back') }),
    defineStep({ name: 'four', execute: refuse('no way on') }),
  ],
})
`

it('ends a rollback that takes too long, and tells what went wrong in it', async () => {
  const [sqlite] = storeKinds
  await using place = (await sqlite?.open()) ?? expect.unreachable()
  await using project = await createProject({ 'functions/stuck.ts': stuck })
  const builder = project.builder()
  const { functions } = await builder.build()
  const crew = new Crew({
    store: place.store,
    models: { describe: async () => expect.unreachable(), prepare: async () => expect.unreachable() },
    deployments: noDeployments,
    seals: createCredentialSeals([await createProjectKey(new Uint8Array(32).fill(1))]),
    limits: {
      maxConcurrentJobs: 1,
      jobTimeoutMs: 60_000,
      jobCancelGraceMs: 10_000,
      jobRollbackTimeoutMs: 1_000,
      jobLeaseMs: 60_000,
      maxJobAttempts: 3,
    },
    environment: { PATH: process.env.PATH ?? '' },
    workDirectory: place.path('work'),
    changed: () => undefined,
    session: { provider: 'cpu', fallback: null, intraOpThreads: 1 },
    inputHosts: [],
    maxJobBytes: 10_000_000,
    strict: true,
    logLevel: 'error',
    log: createLogger({ write: () => undefined }),
  })
  try {
    const bundlePath = join(builder.bundlesDirectory, functions[0]?.bundle ?? '')
    crew.follow([{ name: 'stuck', bundlePath, timeoutMs: null, models: [] }])
    const { job } = await place.store.submit(newJob({ function: 'stuck' }), roomy)
    crew.wake()
    await until(async () => isEnded((await place.store.get(job.id, null)).state))
    expect(await place.store.get(job.id, null)).toMatchObject({
      state: 'failed',
      error: {
        code: 'STEP_FAILED',
        step: 'four',
        rollbackErrors: [
          'Rollback of step "three" failed: Error: no way back',
          'The rollback did not end within 1000 ms.',
        ],
      },
    })
  } finally {
    await crew.stop()
  }
})
