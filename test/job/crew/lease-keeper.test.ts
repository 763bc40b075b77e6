import { describe, expect, it } from 'vitest'
import { IsoplexError } from '../../../runtime/error/error.ts'
import { keepLease } from '../../../runtime/job/crew/lease-keeper.ts'

const lease = { jobId: 'job', fence: 3 }

/** Keeps a lease on a store that answers so, one answer after the other, the last one again and again. */
function keep(...answers: readonly (boolean | Error)[]) {
  const heard: string[] = []
  let renewals = 0
  const keeper = keepLease({
    store: {
      renew: async (renewed, leaseMs) => {
        expect([renewed, leaseMs]).toEqual([lease, 6])
        const answer = answers[Math.min(renewals, answers.length - 1)]
        renewals += 1
        if (answer instanceof Error) throw answer
        return { cancelRequested: answer === true }
      },
    },
    lease,
    leaseMs: 6,
    cancelled: () => void heard.push('cancelled'),
    lost: () => void heard.push('lost'),
    failed: () => void heard.push('failed'),
  })
  return { keeper, heard, renewals: () => renewals }
}

const away = new IsoplexError('JOB_STORE_UNAVAILABLE', 'away', {
  details: { reason: 'unreachable', retryAfterMs: 1 },
})

describe('keepLease', () => {
  it('renews it again and again, and hears that the job is to end', async () => {
    const { keeper, heard, renewals } = keep(false, false, true)
    await expect.poll(renewals).toBeGreaterThan(4)
    keeper[Symbol.dispose]()
    expect(new Set(heard)).toEqual(new Set(['cancelled']))
  })

  it('goes on while the store is away, and says so once', async () => {
    const { keeper, heard, renewals } = keep(away, away, away, false, away, false)
    await expect.poll(renewals).toBeGreaterThan(6)
    keeper[Symbol.dispose]()
    expect(heard).toEqual(['failed', 'failed'])
  })

  it('ends where the lease is lost', async () => {
    const { keeper, heard, renewals } = keep(new IsoplexError('LEASE_LOST', 'lost'))
    await expect.poll(() => heard).toEqual(['lost'])
    expect(renewals()).toBe(1)
    keeper[Symbol.dispose]()
  })

  it('tells nothing of an answer that comes after its end', async () => {
    const { keeper, heard } = keep(true)
    keeper[Symbol.dispose]()
    await new Promise((resolve) => setImmediate(resolve))
    expect(heard).toEqual([])
  })
})
