import { expect, it } from 'vitest'
import { DeadlineError, withDeadline } from '../../../runtime/job/store/deadline.ts'

it('gives what the work gives, or throws what it throws', async () => {
  expect(await withDeadline(60_000, async () => 5)).toBe(5)
  await expect(withDeadline(60_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
})

it('waits no longer than it may, and longer where the work goes on', async () => {
  await expect(withDeadline(5, () => new Promise(() => undefined))).rejects.toThrow(DeadlineError)
  const parts = async (goOn: () => void): Promise<number> => {
    let count = 0
    // Together they take longer than one of them may.
    for (; count < 30; count += 1) {
      await Bun.sleep(50)
      goOn()
    }
    return count
  }
  expect(await withDeadline(1_000, parts)).toBe(30)
})
