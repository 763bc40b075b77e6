import { afterEach, beforeEach, expect, it } from 'vitest'
import { createConsoleLog } from '../../runtime/page/console-log.ts'

const levels = ['debug', 'info', 'warn', 'error'] as const
const real = { ...console }
let written: unknown[][]

beforeEach(() => {
  written = []
  for (const level of levels) console[level] = (...line: unknown[]) => void written.push([level, ...line])
})
afterEach(() => void Object.assign(console, real))

it('writes lines to the console, with their fields', () => {
  const log = createConsoleLog({ debug: true })
  for (const level of levels) log[level]('said', { requestId: 'a' })
  expect(written).toEqual(levels.map((level) => [level, '[isoplex] said', { requestId: 'a' }]))
})

it('leaves out what is for debugging where nobody asked for it', () => {
  const log = createConsoleLog({ debug: false })
  log.debug('said')
  log.info('said')
  expect(written).toEqual([['info', '[isoplex] said', {}]])
})
