import { describe, expect, it } from 'vitest'
import { orAborted } from '../../runtime/runner/abort-race.ts'

describe('orAborted', () => {
  const never = new Promise<never>(() => undefined)

  it('settles as the promise does', async () => {
    const { signal } = new AbortController()
    expect(await orAborted(Promise.resolve(1), signal)).toBe(1)
    await expect(orAborted(Promise.reject(new Error('a')), signal)).rejects.toThrow('a')
  })

  it('fails with the reason of the signal', async () => {
    const controller = new AbortController()
    const outcome = orAborted(never, controller.signal)
    controller.abort(new Error('gone'))
    await expect(outcome).rejects.toThrow('gone')
    await expect(orAborted(never, controller.signal)).rejects.toThrow('gone')
  })
})
