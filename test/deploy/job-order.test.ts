import { expect, it } from 'vitest'
import { createProjectKey } from '../../runtime/auth/project-key.ts'
import { type JobOrder, openJobOrder, sealJobOrder } from '../../runtime/deploy/job-order.ts'

const key = await createProjectKey(new Uint8Array(32).fill(1))
const other = await createProjectKey(new Uint8Array(32).fill(2))
const order: JobOrder = {
  nonce: 'n',
  action: 'train',
  params: '{"a":"secret params"}',
  tenant: 'acme',
  environment: { SYNAPSE_ACCESS_TOKEN: 'secret token' },
}

it('is read by whoever has the key, and says nothing to others', () => {
  const text = sealJobOrder([key], order)
  expect(text).toMatch(/^[\w-]+$/)
  expect(Buffer.from(text, 'base64url').toString('latin1')).not.toMatch(/secret|train|acme/)
  expect(openJobOrder([key], text)).toEqual(order)
  const refusal = expect.objectContaining({ code: 'TOKEN_INVALID' })
  expect(() => openJobOrder([other], text)).toThrow(refusal)
  expect(() => openJobOrder([key], `${text.slice(0, -4)}AAAA`)).toThrow(refusal)
  expect(() => openJobOrder([key], '')).toThrow(refusal)
})

it('holds as much as a variable may', () => {
  expect(sealJobOrder([key], { ...order, params: 'x'.repeat(85_000) }).length).toBeLessThan(131_072)
  expect(() => sealJobOrder([key], { ...order, params: 'x'.repeat(120_000) })).toThrow(
    expect.objectContaining({ code: 'BODY_TOO_LARGE', details: { limitBytes: 90_000 } }),
  )
})
