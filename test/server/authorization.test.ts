import { describe, expect, it } from 'vitest'
import { createProjectIssuer } from '../../runtime/auth/issuer.ts'
import { createProjectKey } from '../../runtime/auth/project-key.ts'
import { createModelToken } from '../../runtime/auth/token.ts'
import { createTokenVerifier } from '../../runtime/auth/verifier.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import type { ModelQuestion } from '../../runtime/model/backend.ts'
import { type Authorizer, authorize } from '../../runtime/server/authorization.ts'
import { createModelAccess } from '../../runtime/server/model-access.ts'
import { sampleFunction } from '../build/manifest-samples.ts'
import { recordOf, sourceOfEverything } from './served.ts'

const key = await createProjectKey(new Uint8Array(32).fill(1))
const token = await createModelToken(key, { model: 'bird', tenant: 'forest', expiresInSeconds: 600 })
const nameless = await createModelToken(key, { model: 'bird', expiresInSeconds: 600 })

const edge = sampleFunction('edge')
const publicEdge = sampleFunction('edge', { access: 'public' })
const inference = sampleFunction('infer', { kind: 'inference', model: {} })
const withDefault = sampleFunction('infer', { kind: 'inference', model: { default: 'fish' } })
const publicInference = sampleFunction('infer', { ...withDefault, access: 'public' })

/** Finds every model, and says in its metadata for whom. */
const authorizer: Authorizer = {
  verifier: createTokenVerifier({ issuers: [createProjectIssuer([key])] }),
  models: createModelAccess(sourceOfEverything()),
  trustsLoopback: false,
}
const trusting: Authorizer = { ...authorizer, trustsLoopback: true }

const bearing = (text: string): Headers => new Headers({ serve_multiplexed_model_id: text })
const none = new Headers()

describe('authorize', () => {
  it.each([
    ['an edge function', edge, null],
    ['an inference function', inference, 'bird'],
    ['an inference function with a default model', withDefault, 'bird'],
    ['a public function', publicEdge, null],
    ['a public inference function with a default model', publicInference, 'bird'],
  ])('takes a good token for %s', async (_, fn, model) => {
    const found = await authorize(bearing(token), fn, authorizer)
    expect(found.principal).toBe('tenant:forest')
    expect(found.model?.info.id ?? null).toBe(model)
    if (model !== null) expect(found.model?.info.tenant).toBe('forest')
  })

  it('counts a token without a tenant for its issuer', async () => {
    const found = await authorize(bearing(nameless), inference, authorizer)
    expect(found).toMatchObject({ principal: 'issuer:project', model: { info: { tenant: null } } })
  })

  it.each([
    ['an edge function', edge],
    ['an inference function', inference],
    ['an inference function with a default model', withDefault],
  ])('asks for a token for %s', async (_, fn) => {
    await expect(authorize(none, fn, authorizer)).rejects.toMatchObject({ code: 'TOKEN_MISSING' })
  })

  it('asks for a token for a public function whose model has no default', async () => {
    const fn = { ...inference, access: 'public' as const }
    await expect(authorize(none, fn, authorizer)).rejects.toMatchObject({ code: 'TOKEN_MISSING' })
    await expect(authorize(none, fn, trusting)).rejects.toMatchObject({ code: 'TOKEN_MISSING' })
  })

  it('asks for none where the function is public', async () => {
    expect(await authorize(none, publicEdge, authorizer)).toEqual({
      principal: 'anonymous',
      model: null,
      credentials: null,
    })
    expect(await authorize(none, publicInference, authorizer)).toMatchObject({
      principal: 'anonymous',
      model: { info: { id: 'fish', tenant: null } },
    })
  })

  it('asks for none on a trusted loopback, where a default model answers', async () => {
    expect(await authorize(none, edge, trusting)).toEqual({
      principal: 'anonymous',
      model: null,
      credentials: null,
    })
    expect(await authorize(none, withDefault, trusting)).toMatchObject({ model: { info: { id: 'fish' } } })
    await expect(authorize(none, inference, trusting)).rejects.toMatchObject({ code: 'TOKEN_MISSING' })
  })

  it.each([edge, publicEdge, inference, publicInference])(
    'refuses a bad token even where none is needed',
    async (fn) => {
      for (const by of [authorizer, trusting]) {
        await expect(authorize(bearing('bad'), fn, by)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
      }
    },
  )

  it('passes on why a model cannot be had', async () => {
    const gone = new IsoplexError('MODEL_NOT_FOUND', 'Gone.', { details: { model: 'bird' } })
    const models = createModelAccess(sourceOfEverything({ find: () => Promise.reject(gone) }))
    const by = { ...authorizer, models }
    await expect(authorize(bearing(token), inference, by)).rejects.toBe(gone)
  })

  it('asks no backend before the token is known to be good', async () => {
    const asked: string[] = []
    const hear = async ({ modelId }: ModelQuestion): Promise<never> => {
      asked.push(modelId)
      throw new Error('asked')
    }
    const models = createModelAccess(sourceOfEverything({ find: hear, confirm: hear }))
    const by = { ...authorizer, models }
    await authorize(bearing('bad'), inference, by).catch(() => undefined)
    await authorize(bearing('bad'), edge, by).catch(() => undefined)
    await authorize(none, inference, by).catch(() => undefined)
    expect(asked).toEqual([])
  })

  it('has the backend confirm who asks for a function without a model', async () => {
    const refused = new IsoplexError('TOKEN_INVALID', 'No.', { details: { reason: 'refused' } })
    const models = createModelAccess(sourceOfEverything({ confirm: () => Promise.reject(refused) }))
    await expect(authorize(bearing(token), edge, { ...authorizer, models })).rejects.toBe(refused)
  })

  it('takes the sticky key of the request to choose among versions', async () => {
    const versions = ['3', '4'].map((version) => ({ weight: 1, record: recordOf('bird', version) }))
    const models = createModelAccess(sourceOfEverything({ find: async () => ({ tenant: null, versions }) }))
    const by = { ...authorizer, models }
    const keys = Array.from({ length: 40 }, (_, index) => `user ${index}`)
    const found = await Promise.all(
      keys.map((key) =>
        authorize(new Headers({ serve_multiplexed_model_id: token, 'x-sticky-key': key }), inference, by),
      ),
    )
    expect(new Set(found.map(({ model }) => model?.info.version))).toEqual(new Set(['3', '4']))
  })
})
