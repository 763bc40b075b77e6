import { expect, it } from 'vitest'
import { jobPath, toJobDocument } from '../../runtime/job/document.ts'
import { sampleJob } from './sample-job.ts'

it('a job has links to its parts and its files', () => {
  const facts = { name: 'matrix.csv', mediaType: 'text/csv', bytes: 5 }
  const job = sampleJob({ files: [facts] })
  const self = jobPath(job.id)
  expect(self).toBe(`/-/jobs/${job.id}`)
  expect(toJobDocument(job)).toEqual({
    ...job,
    files: [{ ...facts, url: `${self}/files/matrix.csv` }],
    links: { self, events: `${self}/events`, logs: `${self}/logs`, result: `${self}/result` },
  })
})
