import { describe, expect, it } from 'vitest'
import { classifyAddress } from '../../runtime/network/address.ts'
import { resolveName } from '../../runtime/network/resolve-name.ts'
import { fetchErrorOf } from './refusals.ts'

describe('the addresses of a name', () => {
  it('are found as the system finds them', async () => {
    const addresses = await resolveName('localhost')
    expect(addresses.length).toBeGreaterThan(0)
    for (const address of addresses) expect(classifyAddress(address)).toBe('loopback')
  })

  it('are an error of the connection where there is no such name', async () => {
    // No server is asked for a name with so long a part.
    const name = `${'x'.repeat(64)}.invalid`
    const { what, message } = await fetchErrorOf(() => resolveName(name))
    expect(what).toBe('FETCH_FAILED: connection')
    expect(message).toContain(name)
  })
})
