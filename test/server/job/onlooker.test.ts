import { describe, expect, it } from 'vitest'
import { createCredentials } from '../../../runtime/auth/credentials.ts'
import { IsoplexError } from '../../../runtime/error/error.ts'
import type { CheckAccess } from '../../../runtime/server/access.ts'
import { assertMayList, identifyAsOperator, identifyByToken } from '../../../runtime/server/job/onlooker.ts'
import { createModelAccess } from '../../../runtime/server/model-access.ts'
import { sourceOfEverything } from '../served.ts'

const verifier = {
  verify: async (tenant: string) =>
    createCredentials({
      modelId: 'digits',
      tenant,
      accessToken: null,
      issuer: 'project',
      proven: true,
      expiresAtMs: Number.POSITIVE_INFINITY,
    }),
}

const checkAccess: CheckAccess = async ({ token }) => {
  if (token === 'isoplexat_admin') return { id: 1, tenant: null, models: null, rights: 'admin' }
  if (token === 'isoplexat_use') return { id: 2, tenant: 'a', models: null, rights: 'use' }
  return null
}

function identify(headers: Readonly<Record<string, string>>, trustsLoopback = false) {
  const models = createModelAccess(sourceOfEverything())
  const ask = identifyByToken({ verifier, models, trustsLoopback }, checkAccess)
  return ask(new Request('http://localhost/-/jobs', { headers }))
}

describe('whoever looks at jobs', () => {
  it.each([
    ['a model token', { serve_multiplexed_model_id: 'a' }, { viewer: 'tenant:a', mayList: true }],
    ['a model token as bearer', { authorization: 'Bearer a' }, { viewer: 'tenant:a', mayList: true }],
    ['an admin’s access token', { authorization: 'Bearer isoplexat_admin' }, { viewer: null, mayList: true }],
    ['nothing', {}, { viewer: 'anonymous', mayList: false }],
    ['another scheme', { authorization: 'Basic x' }, { viewer: 'anonymous', mayList: false }],
  ])('with %s is known by it', async (_, headers, onlooker) => {
    expect(await identify(headers as Record<string, string>)).toMatchObject(onlooker)
  })

  it.each([
    ['isoplexat_use', 'ACCESS_FORBIDDEN'],
    ['isoplexat_gone', 'ACCESS_REQUIRED'],
  ])('with the access token %s is refused', async (token, code) => {
    await expect(identify({ authorization: `Bearer ${token}` })).rejects.toMatchObject({ code })
  })

  it('with two tokens that differ is refused', async () => {
    const both = { authorization: 'Bearer a', serve_multiplexed_model_id: 'b' }
    await expect(identify(both)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
  })

  it('at the control socket sees all', async () => {
    expect(await identifyAsOperator()).toMatchObject({ viewer: null, mayList: true })
  })
})

it('whoever sends nothing lists jobs on the machine of whoever develops only', async () => {
  const onlooker = await identify({})
  expect(() => assertMayList(onlooker)).toThrow(expect.objectContaining({ code: 'TOKEN_MISSING' }))
  expect(await identify({}, true)).toMatchObject({ viewer: 'anonymous', mayList: true })
})

it.each([
  [null, true],
  ['MODEL_FORBIDDEN', false],
  ['TOKEN_INVALID', false],
  ['BACKEND_UNAVAILABLE', true],
] as const)('whoever has sent a model token is asked after again: %s', async (code, sees) => {
  let asked = 0
  let nowMs = 1
  const models = createModelAccess(
    sourceOfEverything({
      confirm: async ({ tenant }) => {
        asked += 1
        if (asked === 1 || code === null) return tenant
        throw new IsoplexError(code as 'DRAINING', 'no', { details: { retryAfterMs: 1 } })
      },
    }),
    { now: () => nowMs },
  )
  const ask = identifyByToken({ verifier, models, trustsLoopback: false }, checkAccess)
  const headers = { serve_multiplexed_model_id: 'a' }
  const onlooker = await ask(new Request('http://localhost/-/jobs', { headers }))
  nowMs += 60_000
  expect(await onlooker.stillSees()).toBe(sees)
})

it('whoever administers is asked after again', async () => {
  const tokens = new Set(['isoplexat_admin'])
  const models = createModelAccess(sourceOfEverything())
  const ask = identifyByToken({ verifier, models, trustsLoopback: false }, async (parameters) =>
    tokens.has(parameters.token) ? checkAccess(parameters) : null,
  )
  const headers = { authorization: 'Bearer isoplexat_admin' }
  const onlooker = await ask(new Request('http://localhost/-/jobs', { headers }))
  expect(await onlooker.stillSees()).toBe(true)
  tokens.clear()
  expect(await onlooker.stillSees()).toBe(false)
})
