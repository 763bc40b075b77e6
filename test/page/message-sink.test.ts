import { describe, expect, it } from 'vitest'
import { IsoplexError } from '../../runtime/error/error.ts'
import { refusal } from '../../runtime/page/message-sink.ts'

describe('a refusal', () => {
  it('tells what is meant for callers', () => {
    expect(refusal(3, new IsoplexError('REQUEST_MALFORMED', 'No.'))).toEqual({
      kind: 'refusal',
      id: 3,
      error: { code: 'REQUEST_MALFORMED', message: 'No.' },
    })
  })

  it.each([new Error('secret'), 'secret', undefined])('hides what is not: %s', (error) => {
    const told = refusal(3, error)
    expect(told).toMatchObject({ error: { code: 'INTERNAL' } })
    expect(JSON.stringify(told)).not.toContain('secret')
    expect(JSON.stringify(told)).toContain('console')
  })
})
