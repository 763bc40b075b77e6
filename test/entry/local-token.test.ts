import { expect, it } from 'vitest'
import { localToken, localVerifier } from '../../runtime/entry/local-token.ts'

it.each([
  { model: 'digits@3', tenant: null },
  { model: '테넌트', tenant: 'é' },
])('stands in a header, and says what it was made of: %j', async (claims) => {
  const token = localToken(claims)
  expect(token).toMatch(/^[\w-]+$/)
  const credentials = await localVerifier.verify(token)
  expect(credentials).toMatchObject({ modelId: claims.model, tenant: claims.tenant, proven: true })
})

it('is no other token', async () => {
  await expect(localVerifier.verify('a.b.c')).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
})
