import { describe, expect, it } from 'vitest'
import { toProblem } from '../../runtime/error/wire.ts'
import { fetchFailed, urlRefused } from '../../runtime/network/refusal.ts'

describe('a fetch that does not come about', () => {
  it('is the caller’s to mend where the URL is refused', () => {
    expect(toProblem(urlRefused('host', 'No.'))).toMatchObject({
      status: 422,
      code: 'URL_REFUSED',
      reason: 'host',
      detail: 'No.',
    })
  })

  it('is the other server’s fault where it failed, and shows nobody its cause', () => {
    const error = fetchFailed('connection', 'No.', new Error('connect ECONNREFUSED 10.0.0.7:80'))
    expect(error.cause).toBeInstanceOf(Error)
    expect(toProblem(error)).toMatchObject({ status: 502, code: 'FETCH_FAILED', reason: 'connection' })
    expect(JSON.stringify(toProblem(error))).not.toContain('10.0.0.7')
  })
})
