import { describe, expect, it } from 'vitest'
import { createProjectKey, idOfSecret } from '../../runtime/auth/project-key.ts'

describe('createProjectKey', () => {
  it('gives equal bytes one id and others another, none of it the key', async () => {
    const [first, same, other] = await Promise.all(
      [1, 1, 2].map((byte) => createProjectKey(new Uint8Array(32).fill(byte))),
    )
    expect(first?.id).toMatch(/^[\w-]{16}$/)
    expect(same?.id).toBe(first?.id)
    expect(other?.id).not.toBe(first?.id)
    expect(Buffer.alloc(32, 1).toString('base64url')).not.toContain(first?.id)
  })

  it('has an id that no command takes for a flag', () => {
    for (let byte = 0; byte < 256; byte += 1)
      expect(idOfSecret(new Uint8Array(32).fill(byte))).toMatch(/^[0-9a-f]{16}$/)
  })

  it('keeps the secrets from being printed or exported', async () => {
    const key = await createProjectKey(new Uint8Array(32).fill(0x41))
    const hidden = [key.grants.export().toString('hex').slice(0, 8), 'AAAA', 'QUFB', '65']
    for (const text of hidden) expect(JSON.stringify(key) + Bun.inspect(key)).not.toContain(text)
    await expect(crypto.subtle.exportKey('raw', key.secret)).rejects.toThrow()
    await expect(crypto.subtle.exportKey('raw', key.encryption)).rejects.toThrow()
  })

  it('makes a key of its own for each use', async () => {
    const secret = new Uint8Array(32).fill(7)
    const { grants } = await createProjectKey(secret)
    expect(grants.export()).not.toEqual(Buffer.from(secret))
    const { grants: others } = await createProjectKey(new Uint8Array(32).fill(8))
    expect(grants.export()).not.toEqual(others.export())
  })

  it('refuses a short secret', async () => {
    await expect(createProjectKey(new Uint8Array(31))).rejects.toThrow(TypeError)
  })
})
