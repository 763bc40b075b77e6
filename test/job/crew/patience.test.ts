import { describe, expect, it } from 'vitest'
import { IsoplexError } from '../../../runtime/error/error.ts'
import { withPatience } from '../../../runtime/job/crew/patience.ts'

const away = () =>
  new IsoplexError('JOB_STORE_UNAVAILABLE', 'away', { details: { retryAfterMs: 1, reason: 'unreachable' } })

const never = new AbortController().signal

describe('withPatience', () => {
  it('tries again until the store is back', async () => {
    let tries = 0
    const work = async (): Promise<string> => {
      tries += 1
      if (tries < 3) throw away()
      return 'done'
    }
    expect(await withPatience(work, { signal: never, firstDelayMs: 1 })).toBe('done')
    expect(tries).toBe(3)
  })

  it('passes on whatever else goes wrong', async () => {
    const lost = new IsoplexError('LEASE_LOST', 'lost')
    const work = () => Promise.reject(lost)
    await expect(withPatience(work, { signal: never, firstDelayMs: 1 })).rejects.toBe(lost)
  })

  it('gives up with the signal, also while it waits', async () => {
    const giveUp = new AbortController()
    const work = async (): Promise<never> => {
      giveUp.abort(new Error('enough'))
      throw away()
    }
    await expect(withPatience(work, { signal: giveUp.signal })).rejects.toThrow('enough')
    await expect(withPatience(async () => 'never', { signal: giveUp.signal })).rejects.toThrow('enough')
  })
})
