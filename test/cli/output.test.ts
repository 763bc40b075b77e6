import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { explain, failureOf, formatBytes, formatTable } from '../../runtime/cli/output.ts'
import { IsoplexError } from '../../runtime/error/error.ts'

describe('formatTable', () => {
  it('makes columns as wide as their widest cell, and leaves no space at the end of a line', () => {
    expect(
      formatTable([
        ['a', 'bb', 'c'],
        ['ddd', 'e'],
      ]),
    ).toBe('a    bb  c\nddd  e')
  })

  it('counts the columns that a character takes on a terminal', () => {
    expect(
      formatTable([
        ['모델', 'x'],
        ['abcde', 'y'],
      ]),
    ).toBe('모델   x\nabcde  y')
  })

  it('is empty without rows', () => {
    expect(formatTable([])).toBe('')
  })
})

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 KB'],
    [144_800, '144.8 KB'],
    [999_949, '999.9 KB'],
    [999_950, '1.0 MB'],
    [2_345_678_901, '2.3 GB'],
    [1e18, '1000000.0 TB'],
  ])('shows %d as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })

  it('says at least as much of more bytes', () => {
    const units = ['B', 'KB', 'MB', 'GB', 'TB']
    const read = (text: string): number => {
      const [count, unit = ''] = text.split(' ')
      return Number(count) * 1_000 ** units.indexOf(unit)
    }
    const bytes = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const [less, more] = a < b ? [a, b] : [b, a]
        expect(read(formatBytes(less))).toBeLessThanOrEqual(read(formatBytes(more)))
      }),
    )
  })
})

describe('a failure', () => {
  const ours = new IsoplexError('MODEL_NOT_FOUND', 'There is no model "a".', { details: { model: 'a' } })
  const systems = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', syscall: 'open' })
  const defect = new TypeError('undefined is not an object')

  it('is told to programs by its code and details', () => {
    expect(failureOf(ours)).toEqual({
      code: 'MODEL_NOT_FOUND',
      message: 'There is no model "a".',
      details: { model: 'a' },
    })
    expect(failureOf(defect)).toEqual({ code: 'INTERNAL', message: 'undefined is not an object' })
    expect(failureOf('text')).toEqual({ code: 'INTERNAL', message: 'text' })
  })

  it('is told to people by its message, a defect with its stack', () => {
    expect(explain(ours)).toBe('There is no model "a".')
    expect(explain(systems)).toBe('EACCES: permission denied')
    expect(explain(defect)).toMatch(/undefined is not an object[\s\S]*output\.test\.ts/)
    expect(explain('text')).toBe('text')
  })
})

it('explains a failure without a command for a terminal in it', () => {
  expect(explain(new IsoplexError('INTERNAL', 'a\u001b[2Jb\n\tc\u009bd'))).toBe('a [2Jb\n\tc d')
})
