import { describe, expect, it } from 'vitest'
import {
  assertDepth,
  CallingRequest,
  maxCallDepth,
  maxCallsUnderWay,
  placeBeside,
} from '../../runtime/runner/calling-request.ts'
import { Waits } from '../../runtime/runner/waits.ts'

const { signal } = new AbortController()
const nothing = (): void => undefined

describe('the calls of a request', () => {
  it('are counted as what it waits for', async () => {
    const told: boolean[] = []
    const request = new CallingRequest(1, new Waits((waiting) => told.push(waiting)))
    const ends = await Promise.all([request.begin(signal, nothing), request.begin(signal, nothing)])
    for (const end of ends) end()
    expect(told).toEqual([true, false])
  })

  it('wait for each other where they are too many', async () => {
    const request = new CallingRequest(1, null)
    const ends = await Promise.all(
      Array.from({ length: maxCallsUnderWay }, () => request.begin(signal, () => undefined)),
    )
    const order: number[] = []
    const later = [1, 2].map((index) => request.begin(signal, () => undefined).then(() => order.push(index)))
    const leaving = new AbortController()
    const left = request.begin(leaving.signal, nothing)
    leaving.abort(new Error('left'))
    await expect(left).rejects.toThrow('left')
    expect(order).toEqual([])
    ends[0]?.()
    await later[0]
    expect(order).toEqual([1])
    ends[1]?.()
    await later[1]
    expect(order).toEqual([1, 2])
  })

  it('are never too many, though others come while one has its turn', async () => {
    const request = new CallingRequest(1, null)
    let underWay = 0
    let most = 0
    const begin = (): Promise<() => void> =>
      // Each is told by a function of its own.
      request
        .begin(signal, () => undefined)
        .then((end) => {
          underWay += 1
          most = Math.max(most, underWay)
          return () => {
            underWay -= 1
            end()
          }
        })
    const ends = await Promise.all(Array.from({ length: maxCallsUnderWay }, begin))
    const waited = begin()
    ends[0]?.()
    const overtaking = begin()
    const end = await overtaking
    await new Promise((resolve) => setImmediate(resolve))
    end()
    ;(await waited)()
    expect([underWay, most]).toEqual([maxCallsUnderWay - 1, maxCallsUnderWay])
  })

  it('end with it, and it makes no more', async () => {
    const told: boolean[] = []
    const request = new CallingRequest(1, new Waits((waiting) => told.push(waiting)))
    let end: (() => void) | null = null
    end = await request.begin(signal, () => end?.())
    request.assertUnanswered()
    request.close()
    expect(told).toEqual([true, false])
    expect(() => request.assertUnanswered()).toThrow(/has been answered; await the calls/)
    await expect(request.begin(signal, nothing)).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('that wait for their turn end with it as well', async () => {
    const request = new CallingRequest(1, null)
    await Promise.all(Array.from({ length: maxCallsUnderWay }, () => request.begin(signal, () => undefined)))
    const waiting = request.begin(signal, nothing)
    request.close()
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})

it('refuses more functions than may wait for each other, and names them', () => {
  let place = {
    request: new CallingRequest(1, null),
    chain: ['f0'] as readonly string[],
    waits: null as Waits | null,
  }
  for (let depth = 1; depth < maxCallDepth; depth += 1) place = placeBeside(place, `f${depth}`, null)
  expect(place.chain).toHaveLength(maxCallDepth)
  expect(() => placeBeside(place, 'last', null)).toThrow(
    expect.objectContaining({ code: 'CALL_TOO_DEEP', details: { chain: [...place.chain, 'last'] } }),
  )
  expect(() => assertDepth(place.chain.slice(1), 'last')).not.toThrow()
})

it('counts those that wait in other runners, and names them too', () => {
  const callers = Array.from({ length: maxCallDepth - 1 }, (_, depth) => `f${depth}`)
  const place = { request: new CallingRequest(1, null, callers), chain: ['here'], waits: null }
  expect(() => placeBeside(place, 'last', null)).toThrow(
    expect.objectContaining({ code: 'CALL_TOO_DEEP', details: { chain: [...callers, 'here', 'last'] } }),
  )
  const shallower = { ...place, request: new CallingRequest(1, null, callers.slice(1)) }
  expect(placeBeside(shallower, 'last', null).chain).toEqual(['here', 'last'])
})
