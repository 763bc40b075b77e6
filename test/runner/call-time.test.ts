import { describe, expect, it } from 'vitest'
import { startCallTime } from '../../runtime/runner/call-time.ts'

const aborted = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)))

describe('the time of a call', () => {
  it('is that of its request where it says nothing of its own', () => {
    const { signal } = new AbortController()
    const time = startCallTime(signal, {})
    expect(time.signal).toBe(signal)
    time.lift()
    time.end()
  })

  it.each(['request', 'call'] as const)('ends with the reason of its %s', (which) => {
    const [request, call] = [new AbortController(), new AbortController()]
    const time = startCallTime(request.signal, { signal: call.signal })
    const ending = { request, call }[which]
    ending.abort(new Error('over'))
    expect(time.signal.reason).toMatchObject({ message: 'over' })
    const late = startCallTime(request.signal, { signal: call.signal })
    expect(late.signal.aborted).toBe(true)
  })

  it('ends when it is over', async () => {
    const { signal } = startCallTime(new AbortController().signal, { timeoutMs: 1 })
    expect(await aborted(signal)).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: 'The call was not answered within 1 ms, which its caller has set as "timeoutMs".',
    })
  })

  it('ends no more once it is lifted, but for its callers', async () => {
    const request = new AbortController()
    const time = startCallTime(request.signal, { timeoutMs: 1 })
    const other = startCallTime(request.signal, { timeoutMs: 2 })
    time.lift()
    await aborted(other.signal)
    expect(time.signal.aborted).toBe(false)
    request.abort()
    expect(time.signal.aborted).toBe(true)
  })

  it('hears of nothing after its end', () => {
    const request = new AbortController()
    const time = startCallTime(request.signal, { timeoutMs: 60_000 })
    time.end()
    request.abort()
    expect(time.signal.aborted).toBe(false)
  })

  it.each([0, -1, Number.NaN, 2 ** 31])('refuses %d ms', (timeoutMs) => {
    expect(() => startCallTime(new AbortController().signal, { timeoutMs })).toThrow(
      /"timeoutMs" must be above 0/,
    )
  })
})
