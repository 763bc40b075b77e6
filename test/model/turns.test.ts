import { expect, it } from 'vitest'
import { createTurns } from '../../runtime/model/turns.ts'

it('shares what has not begun, and nothing that has', async () => {
  const turns = createTurns<number>()
  const began: PromiseWithResolvers<number>[] = []
  const work = (): Promise<number> => {
    const turn = Promise.withResolvers<number>()
    began.push(turn)
    return turn.promise
  }
  const first = turns.take('a', work)
  const others = [turns.take('a', work), turns.take('a', work)]
  const elsewhere = turns.take('b', work)
  expect(began).toHaveLength(2)
  began[0]?.resolve(1)
  expect(await first).toBe(1)
  await expect.poll(() => began.length).toBe(3)
  began[2]?.resolve(3)
  expect(await Promise.all(others)).toEqual([3, 3])
  began[1]?.resolve(2)
  expect(await elsewhere).toBe(2)
})

it('goes on after a failure, which only those hear of who shared it', async () => {
  const turns = createTurns<string>()
  const failing = turns.take('a', () => Promise.reject(new Error('no')))
  const next = turns.take('a', async () => 'yes')
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe('yes')
  expect(await turns.take('a', async () => 'again')).toBe('again')
})

it('never works twice at once under one key', async () => {
  const turns = createTurns<number>()
  let running = 0
  let most = 0
  let count = 0
  const work = async (): Promise<number> => {
    running += 1
    most = Math.max(most, running)
    await Bun.sleep(0)
    running -= 1
    count += 1
    return count
  }
  const rounds = Array.from({ length: 50 }, async (_, index) => {
    for (let step = 0; step < index % 7; step += 1) await Bun.sleep(0)
    const before = count
    expect(await turns.take('a', work)).toBeGreaterThan(before)
  })
  await Promise.all(rounds)
  expect(most).toBe(1)
})
