import { describe, expect, it } from 'vitest'
import { freshTiming } from '../../../runtime/replica/ticket.ts'
import { type SubmissionReplyOptions, submissionReply } from '../../../runtime/server/job/submission-reply.ts'
import { sampleJob } from '../../job/sample-job.ts'

const usual: SubmissionReplyOptions = {
  requestId: 'id-1',
  timing: freshTiming(),
  closing: false,
  created: true,
  waitSeconds: null,
}

describe('the reply to a submission', () => {
  it('is the job, and where it is found', async () => {
    const job = sampleJob()
    const reply = submissionReply(job, usual)
    expect(reply.status).toBe(202)
    expect(await reply.json()).toMatchObject({ id: job.id, links: { self: `/-/jobs/${job.id}` } })
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      location: `/-/jobs/${job.id}`,
      'content-type': expect.stringContaining('application/json'),
      'cache-control': 'no-store',
      'x-request-id': 'id-1',
    })
    for (const name of ['connection', 'idempotency-replayed', 'preference-applied']) {
      expect(reply.headers.has(name)).toBe(false)
    }
  })

  it.each(['succeeded', 'failed', 'cancelled'] as const)('is 200 for one that has %s', (state) => {
    expect(submissionReply(sampleJob({ state }), usual).status).toBe(200)
  })

  it('says what was replayed, waited for, and that the connection ends', () => {
    const { headers } = submissionReply(sampleJob(), {
      ...usual,
      created: false,
      waitSeconds: 0,
      closing: true,
    })
    expect(Object.fromEntries(headers)).toMatchObject({
      'idempotency-replayed': 'true',
      'preference-applied': 'wait=0',
      connection: 'close',
    })
  })
})
