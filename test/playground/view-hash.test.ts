import { expect, it } from 'vitest'
import { hashOf } from '../../runtime/playground/catalog.ts'
import { hashOfJob, jobsHash, readViewHash } from '../../runtime/playground/view-hash.ts'

it.each(['jobs', 'jobs/a', 'hello/[name]', '#jobs'])('keeps the function "%s" apart from jobs', (name) => {
  expect(readViewHash(hashOf(name))).toEqual({ kind: 'function', name })
})

it('chooses all jobs, one of them, or nothing', () => {
  expect(readViewHash(jobsHash)).toEqual({ kind: 'jobs' })
  expect(readViewHash(hashOfJob('job_1a'))).toEqual({ kind: 'job', id: 'job_1a' })
  for (const hash of ['', '#', '#jobs/', '#jobs/a/b', '#jobs/..', '#jobsite']) {
    expect(readViewHash(hash)).toEqual({ kind: 'function', name: null })
  }
})
