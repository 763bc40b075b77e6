import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CheckedAccess } from '../../runtime/model/access-table.ts'
import { readAccessToken, requireAccess } from '../../runtime/server/access.ts'

const access: CheckedAccess = { id: 1, tenant: 'acme', models: null, rights: 'publish' }
const checkAccess = async ({ token }: { readonly token: string }): Promise<CheckedAccess | null> =>
  token === 'good' ? access : null

describe('readAccessToken', () => {
  it.each([
    [{ authorization: 'Token good' }, 'good'],
    [{ authorization: 'token  good' }, 'good'],
    [{ authorization: 'Bearer good' }, 'good'],
    [{ 'synapse-access-token': 'Token good' }, 'good'],
    [{ authorization: 'Token good', 'synapse-access-token': 'Token good' }, 'good'],
    [{ authorization: 'Token good', 'synapse-access-token': 'Token other' }, null],
    [{ authorization: 'Basic good', 'synapse-access-token': 'Token good' }, null],
    [{ authorization: 'Token a, Token b' }, null],
    [{ authorization: 'good' }, null],
    [{ authorization: 'Token ' }, null],
    [{ authorization: `Token ${'x'.repeat(513)}` }, null],
    [{ serve_multiplexed_model_id: 'good' }, null],
    [{}, null],
  ])('of %j is %j for a client of Synapse', (headers, token) => {
    expect(readAccessToken(new Headers(headers), true)).toBe(token)
  })

  it.each([
    [{ authorization: 'Bearer good' }, 'good'],
    [{ authorization: 'Token good' }, null],
    [{ 'synapse-access-token': 'Token good' }, null],
  ])('of %j is %j for anybody else', (headers, token) => {
    expect(readAccessToken(new Headers(headers), false)).toBe(token)
  })
})

describe('requireAccess', () => {
  const ask = (headers: Readonly<Record<string, string>>, rights: CheckedAccess['rights'] = 'use') =>
    requireAccess(new Headers(headers), { rights, synapse: true }, checkAccess)

  it('gives what the token gives', async () => {
    expect(await ask({ authorization: 'Token good' }, 'publish')).toBe(access)
    expect(await ask({ authorization: 'Token good', 'synapse-tenant': 'Token acme' })).toBe(access)
    expect(await ask({ authorization: 'Token good', 'synapse-tenant': 'acme' })).toBe(access)
  })

  it.each([
    [{}, 'use', 'ACCESS_REQUIRED'],
    [{ authorization: 'Token bad' }, 'use', 'ACCESS_REQUIRED'],
    [{ authorization: 'Token good' }, 'admin', 'ACCESS_FORBIDDEN'],
    [{ authorization: 'Token good', 'synapse-tenant': 'Token other' }, 'use', 'ACCESS_FORBIDDEN'],
    [{ authorization: 'Token good', 'synapse-tenant': '' }, 'use', 'ACCESS_FORBIDDEN'],
  ] as const)('refuses %j the right %s: %s', async (headers, rights, code) => {
    await expect(ask(headers, rights)).rejects.toMatchObject({ code })
  })

  it('tells of no token what it was', async () => {
    const text = fc.string({ unit: fc.constantFrom(...'abcXYZ019_-.'), minLength: 12, maxLength: 600 })
    await fc.assert(
      fc.asyncProperty(text, async (token) => {
        const refusal = await ask({ authorization: `Token ${token}` }).catch((error: unknown) => error)
        expect(refusal).toMatchObject({ code: 'ACCESS_REQUIRED' })
        expect(String(refusal)).not.toContain(token)
      }),
    )
  })
})
