import { expect, it } from 'vitest'
import { invalidToken } from '../../runtime/auth/invalid-token.ts'

it('is a 401 with its reason, in a sentence', () => {
  const error = invalidToken('expired', 'has expired; ask for a new one')
  expect(error).toMatchObject({ code: 'TOKEN_INVALID', status: 401, details: { reason: 'expired' } })
  expect(error.message).toBe('The model token has expired; ask for a new one.')
})
