import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Turns } from '../../runtime/runner/turns.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('lets one on at a time, in order, whatever fails', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 20 }), async (failures) => {
      const turns = new Turns()
      const begun: number[] = []
      let running = 0
      const outcomes = await Promise.allSettled(
        failures.map((fails, index) =>
          turns.take(async () => {
            begun.push(index)
            running += 1
            expect(running).toBe(1)
            await turn()
            running -= 1
            if (fails) throw new Error('no')
          }),
        ),
      )
      expect(begun).toEqual(failures.map((_, index) => index))
      expect(outcomes.map(({ status }) => status === 'rejected')).toEqual(failures)
    }),
    { numRuns: 20 },
  )
})

it('lets the next begin while one waits for others, even if these need a turn themselves', async () => {
  const turns = new Turns()
  const answer = (depth: number): Promise<number> =>
    turns.take(async (waits) => {
      if (depth === 0) return 0
      const end = waits.begin()
      try {
        return (await answer(depth - 1)) + 1
      } finally {
        end()
      }
    })
  expect(await Promise.all([answer(5), answer(3)])).toEqual([5, 3])
  expect(await turns.take(async () => 'free')).toBe('free')
})
