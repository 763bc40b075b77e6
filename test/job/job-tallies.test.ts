import { expect, it } from 'vitest'
import { JobTallies } from '../../runtime/job/job-tallies.ts'

it('what waits is as it was noted last', () => {
  const tallies = new JobTallies()
  tallies.noteQueued({ a: 2, b: 1 })
  tallies.noteQueued({ b: 3 })
  expect(tallies.all.map((tally) => [tally.function, tally.queued])).toEqual([
    ['a', 0],
    ['b', 3],
  ])
})

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
