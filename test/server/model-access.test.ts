import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Credentials } from '../../runtime/auth/credentials.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import type { ModelQuestion } from '../../runtime/model/backend.ts'
import { createModelAccess, type ModelSource } from '../../runtime/server/model-access.ts'
import { recordOf, sourceOfEverything } from './served.ts'

/** What a verified token of the operator's own may say. */
function credentialsOf(says: Partial<Credentials> = {}): Credentials {
  const said = { modelId: 'bird', tenant: null, accessToken: null, issuer: 'project', proven: true, ...says }
  return { ...said, expiresAtMs: Number.POSITIVE_INFINITY, identity: JSON.stringify(said) }
}

/** A source that counts what it is asked. */
function countingSource(overrides: Partial<ModelSource> = {}) {
  const counts = { find: 0, confirm: 0, prepare: 0 }
  const base = sourceOfEverything(overrides)
  const source: ModelSource = {
    find: (question) => {
      counts.find += 1
      return base.find(question)
    },
    confirm: (question) => {
      counts.confirm += 1
      return base.confirm(question)
    },
    prepare: (record, tenant) => {
      counts.prepare += 1
      return base.prepare(record, tenant)
    },
  }
  return { counts, source }
}

describe('the principal', () => {
  it('is the tenant that the backend confirmed, and no other', async () => {
    const credentials = credentialsOf({ tenant: 'acme', accessToken: 'x', proven: false })
    const confirming = createModelAccess(sourceOfEverything())
    expect((await confirming.grant(credentials, null)).principal).toBe('tenant:acme')
    expect(await confirming.confirm(credentials)).toBe('tenant:acme')
    const silent = createModelAccess(
      sourceOfEverything({
        find: async () => ({ tenant: null, versions: [{ weight: 1, record: recordOf('bird') }] }),
        confirm: async () => null,
      }),
    )
    expect((await silent.grant(credentials, null)).principal).toMatch(/^access:[0-9a-f]{16}$/)
    expect(await silent.confirm(credentials)).toBe((await silent.grant(credentials, null)).principal)
  })

  it('is one for one access token, whatever tenants are claimed with it that nobody confirms', async () => {
    const access = createModelAccess(
      sourceOfEverything({
        find: async () => ({ tenant: null, versions: [{ weight: 1, record: recordOf('bird') }] }),
      }),
    )
    const grants = await Promise.all(
      ['a', 'b', null].map((tenant) =>
        access.grant(credentialsOf({ tenant, accessToken: 'x', proven: false }), null),
      ),
    )
    expect(new Set(grants.map(({ principal }) => principal)).size).toBe(1)
    expect(new Set(grants.map(({ model }) => model.key)).size).toBe(1)
    const other = await access.grant(credentialsOf({ accessToken: 'y', proven: false }), null)
    expect(other.principal).not.toBe(grants[0]?.principal)
  })

  it('cannot be taken for another kind by a name', async () => {
    const access = createModelAccess(sourceOfEverything())
    const issuer = await access.grant(credentialsOf(), null)
    const tenant = await access.grant(credentialsOf({ tenant: 'issuer:project' }), null)
    const anonymous = await access.grantDefault('bird', null)
    const named = await access.grant(credentialsOf({ tenant: 'anonymous' }), null)
    const all = [issuer, tenant, anonymous, named].map(({ principal }) => principal)
    expect(all).toEqual(['issuer:project', 'tenant:issuer:project', 'anonymous', 'tenant:anonymous'])
  })

  it('shows nothing of an access token', async () => {
    const accessToken = 'very-secret-access-token'
    const access = createModelAccess(sourceOfEverything())
    const { principal } = await access.grant(credentialsOf({ accessToken, proven: false }), null)
    expect(principal).not.toContain('secret')
  })
})

describe('a thousand requests for one cold model', () => {
  it('ask once a token, and have the files made ready once', async () => {
    const { counts, source } = countingSource()
    const access = createModelAccess(source)
    const tokens = ['x', 'y', 'z'].map((accessToken) => credentialsOf({ accessToken, proven: false }))
    const all = Array.from({ length: 1_000 }, (_, index) => tokens[index % 3] as Credentials)
    const granted = await Promise.all(all.map((credentials) => access.grant(credentials, null)))
    expect(counts).toEqual({ find: 3, confirm: 0, prepare: 1 })
    expect(new Set(granted.map(({ model }) => model)).size).toBe(1)
  })
})

describe('a refusal', () => {
  it('beats a model that is ready for somebody else', async () => {
    const forbidden = new IsoplexError('MODEL_FORBIDDEN', 'No.', { details: { model: 'bird' } })
    const everything = sourceOfEverything()
    const access = createModelAccess({
      ...everything,
      find: (question) =>
        question.accessToken === 'good' ? everything.find(question) : Promise.reject(forbidden),
    })
    const good = credentialsOf({ accessToken: 'good', proven: false })
    const bad = credentialsOf({ accessToken: 'bad', proven: false })
    expect((await access.grant(good, null)).model.info.id).toBe('bird')
    await expect(access.grant(bad, null)).rejects.toBe(forbidden)
    expect((await access.grant(good, null)).model.info.id).toBe('bird')
  })

  it('holds for whoever lost the right once the time of the answer is over, whatever was asked meanwhile', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('ask' as const), who: fc.nat({ max: 3 }) }),
      fc.record({ kind: fc.constant('give' as const), who: fc.nat({ max: 3 }) }),
      fc.record({ kind: fc.constant('take' as const), who: fc.nat({ max: 3 }) }),
      fc.record({ kind: fc.constant('wait' as const), who: fc.integer({ min: 1, max: 60 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        // To lru-cache a time of 0 is none.
        let nowMs = 1
        const rights = new Set<string>()
        /** Since when somebody has had no right. */
        const lostMs = new Map<string, number>()
        const find = async ({ accessToken }: ModelQuestion) => {
          if (rights.has(accessToken ?? '')) {
            return { tenant: null, versions: [{ weight: 1, record: recordOf('bird') }] }
          }
          throw new IsoplexError('MODEL_FORBIDDEN', 'No.', { details: { model: 'bird' } })
        }
        const options = { foundMs: 30, refusedMs: 5, now: () => nowMs }
        const access = createModelAccess(sourceOfEverything({ find }), options)
        for (const { kind, who } of steps) {
          const name = String(who)
          if (kind === 'wait') nowMs += who
          if (kind === 'give') rights.add(name)
          if (kind === 'give') lostMs.delete(name)
          if (kind === 'take' && rights.delete(name)) lostMs.set(name, nowMs)
          if (kind !== 'ask') continue
          const granted = await access.grant(credentialsOf({ accessToken: name, proven: false }), null).then(
            () => true,
            () => false,
          )
          const everHad = rights.has(name) || lostMs.has(name)
          const overdue = nowMs - (lostMs.get(name) ?? nowMs) > 30
          if (granted) expect(everHad && !overdue).toBe(true)
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('versions that share the requests', () => {
  const versions = [
    { weight: 90, record: recordOf('bird', '3') },
    { weight: 10, record: recordOf('bird', '4') },
  ]
  const source = sourceOfEverything({ find: async ({ tenant }) => ({ tenant, versions }) })

  it('stay the same for a principal', async () => {
    const access = createModelAccess(source)
    const credentials = credentialsOf({ tenant: 'acme' })
    const { model } = await access.grant(credentials, null)
    for (let time = 0; time < 20; time += 1) {
      expect((await access.grant(credentials, null)).model).toBe(model)
    }
  })

  it('are told apart by a sticky key, where one is sent', async () => {
    const access = createModelAccess(source)
    const credentials = credentialsOf({ tenant: 'acme' })
    const keys = Array.from({ length: 500 }, (_, index) => `user ${index}`)
    const first = await Promise.all(keys.map((key) => access.grant(credentials, key)))
    const again = await Promise.all(keys.map((key) => access.grant(credentials, key)))
    expect(again.map(({ model }) => model.key)).toEqual(first.map(({ model }) => model.key))
    const counts = Map.groupBy(first, ({ model }) => model.info.version)
    expect(counts.get('3')?.length).toBeGreaterThan(counts.get('4')?.length ?? 0)
    expect(counts.get('4')?.length).toBeGreaterThan(0)
  })
})

describe('what is said of a model', () => {
  it('needs none of its files, and is asked for by the same right as the model', async () => {
    const { counts, source } = countingSource()
    const access = createModelAccess(source)
    const credentials = credentialsOf({ tenant: 'acme', accessToken: 'x' })
    expect(await access.describe({ modelId: 'bird', credentials }, null)).toMatchObject({ id: 'bird' })
    expect(counts).toEqual({ find: 1, confirm: 0, prepare: 0 })
    await access.describe({ modelId: 'bird', credentials }, null)
    await access.describe({ modelId: 'bird', credentials: null }, null)
    expect(counts.find).toBe(2)
  })

  it('is another one for another model of the same caller', async () => {
    const asked: ModelQuestion[] = []
    const access = createModelAccess(
      sourceOfEverything({
        find: async (question) => {
          asked.push(question)
          return { tenant: null, versions: [{ weight: 1, record: recordOf(question.modelId) }] }
        },
      }),
    )
    const credentials = credentialsOf({ accessToken: 'x', proven: false })
    for (const modelId of ['bird', 'fish']) {
      expect(await access.describe({ modelId, credentials }, null)).toMatchObject({ id: modelId })
    }
    expect(asked).toEqual(
      ['bird', 'fish'].map((modelId) => ({ modelId, tenant: null, accessToken: 'x', proven: false })),
    )
  })
})
