import { describe, expect, it } from 'vitest'
import { createCredentials } from '../../../runtime/auth/credentials.ts'
import { createProjectKey } from '../../../runtime/auth/project-key.ts'
import { createCredentialSeals } from '../../../runtime/auth/sealed-credential.ts'
import { IsoplexError } from '../../../runtime/error/error.ts'
import type { JobModels } from '../../../runtime/job/crew/job-models.ts'
import { JobRights } from '../../../runtime/job/crew/job-rights.ts'
import { type Submitter, sealPurposeOf } from '../../../runtime/job/crew/submitter.ts'
import type { TakenJob } from '../../../runtime/job/store.ts'
import { noDeployments } from '../no-deployments.ts'
import { sampleJob } from '../sample-job.ts'

const seals = createCredentialSeals([await createProjectKey(new Uint8Array(32).fill(1))])
const credentials = createCredentials({
  modelId: 'digits',
  tenant: 'acme',
  accessToken: null,
  issuer: 'project',
  proven: true,
  expiresAtMs: 1_000,
})
const job = sampleJob({ principal: 'tenant:acme', function: 'work' })
const never = new AbortController().signal

/** The rights of a job, over models that answer so. */
function rightsOf(taken: Partial<TakenJob>, models: Partial<JobModels> = {}) {
  const asked: [Submitter, string][] = []
  const rights = new JobRights({
    taken: { job, credential: seals.seal(credentials, sealPurposeOf(job)), models: [], ...taken },
    action: { models: ['free'] },
    models: {
      describe: async (submitter, modelId) => {
        asked.push([submitter, modelId])
        return { id: modelId }
      },
      prepare: async (submitter, modelId) => {
        asked.push([submitter, modelId])
        return {
          key: modelId,
          digest: `of ${modelId}`,
          bytes: 1,
          info: { id: modelId, version: '1', path: '/' },
        }
      },
      ...models,
    },
    deployments: noDeployments,
    seals,
  })
  return { rights, asked }
}

describe('the rights of a job', () => {
  it('are those of who submitted it', async () => {
    const { rights, asked } = rightsOf({})
    expect(rights.modelId).toBe('digits')
    expect(await rights.describeModel('digits')).toEqual({ id: 'digits' })
    expect(await rights.prepareModel('digits')).toMatchObject({ id: 'digits', path: '/' })
    expect([...rights.digests]).toEqual(['of digits'])
    const submitter = { credentials, models: ['free'], stickyKey: job.id }
    expect(asked).toEqual([
      [submitter, 'digits'],
      [submitter, 'digits'],
    ])
  })

  it('are nobody’s where no token was sent', async () => {
    const { rights, asked } = rightsOf({ credential: null })
    expect(rights.modelId).toBeNull()
    await rights.describeModel('free')
    expect(asked[0]?.[0].credentials).toBeNull()
  })

  it('end where the credential can no longer be read, or is that of another principal’s job', async () => {
    const foreign = seals.seal(credentials, sealPurposeOf({ ...job, principal: 'tenant:other' }))
    for (const credential of [new Uint8Array(80), foreign]) {
      const { rights } = rightsOf({ credential })
      expect(rights.modelId).toBeNull()
      await expect(rights.assert(never)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
      await expect(rights.describeModel('digits')).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
    }
  })

  it('are asked for each model among the parameters', async () => {
    const { rights, asked } = rightsOf({ models: ['digits', 'speech'] })
    await rights.assert(never)
    expect(asked.map(([, modelId]) => modelId)).toEqual(['digits', 'speech'])
    const forbidden = new IsoplexError('MODEL_FORBIDDEN', 'no', { details: { model: 'digits' } })
    const refused = rightsOf({ models: ['digits'] }, { describe: () => Promise.reject(forbidden) })
    await expect(refused.rights.assert(never)).rejects.toBe(forbidden)
  })

  it('wait for a backend that does not answer, unless the job is to end', async () => {
    const away = new IsoplexError('BACKEND_UNAVAILABLE', 'away', { details: { retryAfterMs: 1 } })
    let answers = 0
    const back = rightsOf(
      { models: ['digits'] },
      {
        describe: async () => {
          answers += 1
          if (answers === 1) throw away
          return {}
        },
      },
    )
    await back.rights.assert(never)
    expect(answers).toBe(2)
    const ending = new AbortController()
    const stuck = rightsOf({ models: ['digits'] }, { describe: () => new Promise(() => undefined) })
    const asserting = stuck.rights.assert(ending.signal)
    ending.abort(new Error('it is to end'))
    await expect(asserting).rejects.toThrow('it is to end')
    await expect(stuck.rights.assert(ending.signal)).rejects.toThrow('it is to end')
  })
})
