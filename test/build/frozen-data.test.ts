import { describe, expect, it } from 'vitest'
import { freezeData } from '../../runtime/build/frozen-data.ts'

describe('freezeData', () => {
  it('freezes objects and arrays at every depth, and returns the same object', () => {
    const data = { list: [{ deep: { value: 1 } }], text: 'a', none: null }
    expect(freezeData(data)).toBe(data)
    expect(Object.isFrozen(data)).toBe(true)
    expect(Object.isFrozen(data.list)).toBe(true)
    expect(Object.isFrozen(data.list[0]?.deep)).toBe(true)
  })
})
