import { expect, it } from 'vitest'
import { JobTallies } from '../../runtime/job/job-tallies.ts'

it('there is one tally for each action', () => {
  const tallies = new JobTallies()
  tallies.of('a').submitted += 1
  tallies.of('a').submitted += 1
  tallies.of('b').ended.add('failed')
  expect(tallies.all.map((tally) => [tally.function, tally.submitted, tally.ended.get('failed')])).toEqual([
    ['a', 2, 0],
    ['b', 0, 1],
  ])
})
