import { describe, expect, it } from 'vitest'
import { createCredentials } from '../../runtime/auth/credentials.ts'
import { createJobModels } from '../../runtime/entry/job-models.ts'
import type { ModelQuestion } from '../../runtime/model/backend.ts'
import { createModelAccess } from '../../runtime/server/model-access.ts'
import { modelOf } from '../replica/replica-workshop.ts'

const named = createCredentials({
  modelId: 'digits',
  tenant: 'acme',
  accessToken: null,
  issuer: 'project',
  proven: true,
  expiresAtMs: Number.POSITIVE_INFINITY,
})
const backed = createCredentials({ ...named, accessToken: 'access' })

/** The models of jobs over a backend that grants everything and notes what it is asked. */
function modelsOf({ trusting = false } = {}) {
  const asked: ModelQuestion[] = []
  const access = createModelAccess({
    find: async (question) => {
      asked.push(question)
      const artifact = { digest: 'd', url: null, checksum: null, sizeBytes: null, stamp: 's' }
      const record = { id: question.modelId, version: '2', artifact, fields: { note: 'as it is', id: 'x' } }
      return { tenant: question.tenant, versions: [{ weight: 1, record }] }
    },
    confirm: async () => null,
    prepare: async ({ id }) => modelOf(id),
  })
  return { models: createJobModels({ access, trusting }), asked }
}

const submitterOf = (credentials: typeof named | null) => ({
  credentials,
  models: ['free'],
  stickyKey: 'job',
})

describe('the models of jobs', () => {
  it('are, with a token without an access token, the one that it names', async () => {
    const { models, asked } = modelsOf()
    const submitter = submitterOf(named)
    expect(await models.describe(submitter, 'digits')).toEqual({
      note: 'as it is',
      id: 'digits',
      version: '2',
    })
    expect((await models.prepare(submitter, 'digits')).info.id).toBe('digits')
    for (const other of ['speech', 'digits@2', 'free']) {
      for (const ask of [models.describe, models.prepare]) {
        await expect(ask(submitter, other)).rejects.toMatchObject({
          code: 'MODEL_FORBIDDEN',
          details: { model: other },
        })
      }
    }
    expect(new Set(asked.map(({ modelId }) => modelId))).toEqual(new Set(['digits']))
  })

  it('are, with an access token, those that the backend grants its holder', async () => {
    const { models, asked } = modelsOf()
    await models.describe(submitterOf(backed), 'speech')
    expect((await models.prepare(submitterOf(backed), 'speech')).info.id).toBe('speech')
    expect(asked).toEqual([{ modelId: 'speech', tenant: 'acme', accessToken: 'access', proven: true }])
  })

  it('are, without a token, those of the action', async () => {
    const { models, asked } = modelsOf()
    await models.describe(submitterOf(null), 'free')
    expect((await models.prepare(submitterOf(null), 'free')).info.id).toBe('free')
    await expect(models.describe(submitterOf(null), 'digits')).rejects.toMatchObject({
      code: 'MODEL_FORBIDDEN',
      message: expect.stringContaining('no token'),
    })
    expect(asked).toEqual([{ modelId: 'free', tenant: null, accessToken: null, proven: true }])
  })

  it('are all of them without a token where somebody develops, and with one what it gives', async () => {
    const { models } = modelsOf({ trusting: true })
    expect(await models.describe(submitterOf(null), 'anything')).toMatchObject({ id: 'anything' })
    await expect(models.prepare(submitterOf(named), 'anything')).rejects.toMatchObject({
      code: 'MODEL_FORBIDDEN',
    })
  })
})
