import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createJobIdMaker, isJobId } from '../../../runtime/job/store/job-id.ts'

it('makes ids that sort as they were made, whatever the clock does', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9_007_199_254_740 }), { minLength: 1 }), (times) => {
      const make = createJobIdMaker()
      const ids = times.map(make)
      expect(ids.toSorted()).toEqual(ids)
      expect(new Set(ids).size).toBe(ids.length)
      expect(ids.every(isJobId)).toBe(true)
    }),
  )
})

it('makes ids of two makers that sort by their times', () => {
  const [one, other] = [createJobIdMaker(), createJobIdMaker()]
  expect([other(1_700_000_000_002), one(1_700_000_000_001)].toSorted()[0]).toMatch(one(0).slice(0, 5))
})

it('leaves 75 bits to chance', () => {
  const tails = Array.from({ length: 1_000 }, () => createJobIdMaker()(1_700_000_000_000).slice(15))
  expect(new Set(tails).size).toBe(1_000)
  for (let place = 0; place < 15; place += 1) {
    expect(new Set(tails.map((tail) => tail[place])).size).toBe(32)
  }
})

it.each([
  '',
  'job_',
  'job_1K0VPRYC6FG6STSCCPZVZDZCQ',
  'job_1K0VPRYC6FG6STSCCPZVZDZCQU',
  ' job_1K0VPRYC6FG6STSCCPZVZDZCQ0',
  'job_1K0VPRYC6FG6STSCCPZVZDZCQ0\n',
  'job_1k0vpryc6fg6stsccpzvzdzcq0',
])('knows that %j is no id', (text) => {
  expect(isJobId(text)).toBe(false)
})
