import { describe, expect, it } from 'vitest'
import { startDeadline } from '../../runtime/client/deadline.ts'
import { type Failure, pauseBefore, withRetries } from '../../runtime/client/retry.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { fromWire } from '../../runtime/error/wire.ts'
import { errorOf } from './failed.ts'

const draining: Failure = {
  error: new IsoplexError('DRAINING', 'Later.', { details: { retryAfterMs: 1 } }),
  retryAfterMs: 1,
}

const fetchFailed = (details: {
  reason: 'connection' | 'cut-off' | 'status' | 'content'
  status?: number
}) => ({
  error: new IsoplexError('FETCH_FAILED', 'No.', { details }),
  retryAfterMs: null,
})

/** Tries what fails again and again; gives the number of tries. */
async function triesOf(failure: Failure, retries = 1, timeoutMs?: number): Promise<number> {
  const deadline = startDeadline(undefined, timeoutMs)
  let tries = 0
  const attempt = async (): Promise<Failure> => {
    tries += 1
    return failure
  }
  expect(await errorOf(withRetries(attempt, { retries, deadline }))).toBe(failure.error)
  deadline.end()
  return tries
}

describe('withRetries', () => {
  it('takes a failure without details for one that another try does not help', async () => {
    expect(
      await triesOf({ error: fromWire({ code: 'FETCH_FAILED', message: 'No.' }), retryAfterMs: null }),
    ).toBe(1)
  })

  it('gives what the first good try gave', async () => {
    const outcomes = [draining, { value: 'a' }, { value: 'b' }]
    const attempt = async () => outcomes.shift() ?? draining
    const deadline = startDeadline(undefined, undefined)
    expect(await withRetries(attempt, { retries: 3, deadline })).toBe('a')
  })

  it('tries no more often than it may', async () => {
    expect(await triesOf(draining, 0)).toBe(1)
    expect(await triesOf(draining, 2)).toBe(3)
  })

  it.each([
    ['no connection', fetchFailed({ reason: 'connection' }), 2],
    ['a reply that breaks off', fetchFailed({ reason: 'cut-off' }), 2],
    ['a bare 502', fetchFailed({ reason: 'status', status: 502 }), 2],
    ['a bare 404', fetchFailed({ reason: 'status', status: 404 }), 1],
    ['a reply without sense', fetchFailed({ reason: 'content' }), 1],
    ['what the caller must mend', { error: new IsoplexError('INTERNAL', 'a'), retryAfterMs: null }, 1],
  ])('after %s tries %#', async (_, failure, tries) => {
    expect(await triesOf(failure)).toBe(tries)
  })

  it('waits for no server that asks for more than a minute', async () => {
    expect(await triesOf({ ...draining, retryAfterMs: 60_001 })).toBe(1)
  })

  it('begins no try for which there is no time', async () => {
    expect(await triesOf({ ...draining, retryAfterMs: 50_000 }, 3, 10_000)).toBe(1)
  })

  it('ends its pause with the call', async () => {
    const caller = new AbortController()
    const deadline = startDeadline(caller.signal, undefined)
    const attempt = async (): Promise<Failure> => {
      queueMicrotask(() => caller.abort())
      return { ...draining, retryAfterMs: 50_000 }
    }
    expect((await errorOf(withRetries(attempt, { retries: 3, deadline }))).code).toBe('CANCELLED')
  })
})

it('pauses twice as long each time, less a random half, up to ten seconds', () => {
  expect([0, 1, 2, 20].map((tried) => pauseBefore(tried, 0))).toEqual([200, 400, 800, 10_000])
  expect([0, 1, 20].map((tried) => pauseBefore(tried, 1))).toEqual([100, 200, 5_000])
  expect(pauseBefore(0)).toBeGreaterThanOrEqual(100)
})
