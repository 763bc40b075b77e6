import { expect, it } from 'vitest'
import { createCheckpoint } from '../../../runtime/job/run/checkpoint.ts'
import { MemoryHost } from './memory-host.ts'

it('stands at what was saved last, as it was then', async () => {
  const host = new MemoryHost()
  const checkpoint = createCheckpoint(host, { done: 1 })
  expect(checkpoint.value).toEqual({ done: 1 })
  const value = { done: 2 }
  await checkpoint.save(value)
  value.done = 3
  expect([checkpoint.value, host.checkpoints]).toEqual([{ done: 2 }, [{ done: 2 }]])
  await checkpoint.save(null)
  expect(checkpoint.value).toBeNull()
})

it.each([[undefined], [1n], [Number.NaN], [{ at: new Date() }], [{ data: Float32Array.of(1) }], [() => 1]])(
  'refuses %s, which would not come back the same',
  async (value) => {
    const host = new MemoryHost()
    const checkpoint = createCheckpoint(host, undefined)
    await expect(checkpoint.save(value)).rejects.toThrow(/A checkpoint holds what JSON can carry/)
    expect([checkpoint.value, host.checkpoints]).toEqual([undefined, []])
  },
)

it('stands where it stood where its host cannot save', async () => {
  const host = { saveCheckpoint: () => Promise.reject(new Error('No.')) }
  const checkpoint = createCheckpoint(host, 1)
  await expect(checkpoint.save(2)).rejects.toThrow('No.')
  expect(checkpoint.value).toBe(1)
})
