import { describe, expect, it } from 'vitest'
import { PatientReader } from '../../../runtime/server/job/patient-reader.ts'

const longMs = 60_000

async function* count(to: number): AsyncGenerator<number> {
  for (let number = 1; number <= to; number += 1) yield number
}

describe('a patient reader', () => {
  it('reads all values and the end', async () => {
    const reader = new PatientReader(count(2))
    expect(await reader.next(longMs)).toEqual({ done: false, value: 1 })
    expect(await reader.next(longMs)).toEqual({ done: false, value: 2 })
    expect(await reader.next(longMs)).toMatchObject({ done: true })
  })

  it('looks up when nothing comes, asks once, and misses nothing', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    let asked = 0
    const reader = new PatientReader<string>({
      [Symbol.asyncIterator]: () => ({
        async next() {
          asked += 1
          return { done: false, value: await promise }
        },
      }),
    })
    expect(await reader.next(1)).toBe(null)
    expect(await reader.next(1)).toBe(null)
    const next = reader.next(longMs)
    resolve('late')
    expect(await next).toEqual({ done: false, value: 'late' })
    expect(asked).toBe(1)
  })

  it('gives what came while nobody waited', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    async function* late(): AsyncGenerator<string> {
      await promise
      yield 'late'
    }
    const reader = new PatientReader(late())
    expect(await reader.next(1)).toBe(null)
    resolve()
    await promise
    expect(await reader.next(longMs)).toEqual({ done: false, value: 'late' })
  })

  it('throws what the values throw, when it comes to that', async () => {
    const { promise, reject } = Promise.withResolvers<void>()
    // biome-ignore lint/correctness/useYield: it fails before its first value.
    async function* broken(): AsyncGenerator<string> {
      await promise
    }
    const reader = new PatientReader(broken())
    expect(await reader.next(1)).toBe(null)
    reject(new Error('gone'))
    await expect(reader.next(longMs)).rejects.toThrow('gone')
  })
})
