import { describe, expect, it } from 'vitest'
import { IsoplexError } from '../../runtime/error/error.ts'
import { LoadHistory } from '../../runtime/replica/load-history.ts'

const broken = new IsoplexError('FUNCTION_BROKEN', 'broken')

describe('what a load takes', () => {
  it('is guessed before the first, and follows what was measured', () => {
    const history = new LoadHistory()
    expect(history.expectedMs('a')).toBeGreaterThan(0)
    history.cameUp('a', 100)
    expect(history.expectedMs('a')).toBe(100)
    for (let load = 0; load < 30; load += 1) history.cameUp('a', 10)
    expect(history.expectedMs('a')).toBeCloseTo(10, 1)
    expect(history.expectedMs('b')).not.toBe(history.expectedMs('a'))
  })
})

describe('a load that failed', () => {
  it('is remembered for the first runner or for a further one, until it comes up', () => {
    const history = new LoadHistory()
    history.failed('a', broken, 'first')
    history.failed('b', broken, 'further')
    expect([history.failure('a'), history.spreadFailure('a')]).toEqual([broken, undefined])
    expect([history.failure('b'), history.spreadFailure('b')]).toEqual([undefined, broken])
    history.cameUp('a', 1)
    history.cameUp('b', 1)
    expect([history.failure('a'), history.spreadFailure('b')]).toEqual([undefined, undefined])
  })
})

describe('a load at whose side replicas die', () => {
  it('is suspected from the second death on, and no more once it came up', () => {
    const history = new LoadHistory()
    history.died('a')
    expect(history.isSuspect('a')).toBe(false)
    history.died('a')
    expect(history.isSuspect('a')).toBe(true)
    history.cameUp('a', 1)
    history.died('a')
    expect(history.isSuspect('a')).toBe(false)
  })

  it('is suspected at once where nothing else can be the reason', () => {
    const history = new LoadHistory()
    history.suspect('a')
    expect([history.isSuspect('a'), history.isSuspect('b')]).toEqual([true, false])
    history.acquit('a')
    expect(history.isSuspect('a')).toBe(false)
  })

  it('starts anew when it is acquitted, and stays a suspect when it is condemned', () => {
    const history = new LoadHistory()
    for (const key of ['innocent', 'guilty']) {
      history.died(key)
      history.died(key)
      history.try(key)
    }
    history.acquit('innocent')
    history.condemn('guilty')
    expect([history.isTried('innocent'), history.isSuspect('innocent')]).toEqual([false, false])
    expect([history.isTried('guilty'), history.isSuspect('guilty')]).toEqual([false, true])
  })
})
