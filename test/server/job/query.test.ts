import { describe, expect, it } from 'vitest'
import { assertFileName, assertJobId, readAfter, readJobQuery } from '../../../runtime/server/job/query.ts'

const id = `job_${'0123456789ABCDEFGHJKMNPQRS'}`
const queryOf = (query: string) => readJobQuery(new URL(`http://localhost/-/jobs?${query}`))

describe('a query for jobs', () => {
  it('asks for the newest 50 where nothing else is said', () => {
    expect(queryOf('')).toEqual({ state: null, function: null, before: null, limit: 50 })
  })

  it('says all that there is to say', () => {
    expect(queryOf(`state=running&function=a/%5Bb%5D&before=${id}&limit=1000&more=x`)).toEqual({
      state: 'running',
      function: 'a/[b]',
      before: id,
      limit: 1000,
    })
  })

  it.each([
    ['state=done', '/state'],
    ['state=', '/state'],
    ['function=', '/function'],
    ['function=%00', '/function'],
    [`function=${'x'.repeat(257)}`, '/function'],
    ['before=job_1', '/before'],
    ['before=', '/before'],
    ['limit=0', '/limit'],
    ['limit=1001', '/limit'],
    ['limit=-1', '/limit'],
    ['limit=1e2', '/limit'],
    ['limit=99999999999999999999', '/limit'],
  ])('is refused with %s', (query, path) => {
    expect(() => queryOf(query)).toThrow(
      expect.objectContaining({
        code: 'INPUT_INVALID',
        details: { issues: [expect.objectContaining({ path })] },
      }),
    )
  })
})

describe('the id of a job', () => {
  it('is taken as it is', () => {
    expect(assertJobId(id)).toBe(id)
  })

  it.each([
    undefined,
    '',
    'job_',
    id.slice(1),
    `${id}0`,
    id.replace('0', '\0'),
    '../jobs',
    'job_'.padEnd(30, 'é'),
  ])('that is none names nothing: %j', (text) => {
    expect(() => assertJobId(text)).toThrow(expect.objectContaining({ code: 'JOB_NOT_FOUND' }))
  })
})

describe('the name of a file', () => {
  it.each(['a', 'matrix.csv', '_x-1.svg', 'x'.repeat(128)])('is taken as it is: %s', (name) => {
    expect(assertFileName(name)).toBe(name)
  })

  it.each([undefined, '', '.', '..', '.env', 'a/b', 'a\\b', 'a b', 'x'.repeat(129), 'a"b', 'a\r\nb'])(
    'that is none names nothing: %j',
    (name) => {
      expect(() => assertFileName(name)).toThrow(expect.objectContaining({ code: 'JOB_NOT_FOUND' }))
    },
  )
})

describe('after which event somebody goes on', () => {
  const seqOf = (query: string, header?: string): number =>
    readAfter(
      new Request(`http://localhost/-/jobs/x/events${query}`, {
        headers: header === undefined ? {} : { 'last-event-id': header },
      }),
    )

  it.each([
    ['', undefined, 0],
    ['?after=7', undefined, 7],
    ['?after=7', '9', 9],
    ['?after=7', '', 7],
    ['', '0', 0],
  ])('with "%s" and the header %s is %d', (query, header, seq) => {
    expect(seqOf(query, header)).toBe(seq)
  })

  it.each([
    ['?after=', undefined],
    ['?after=-1', undefined],
    ['?after=1.5', undefined],
    ['?after=9999999999999999', undefined],
    ['', 'x'],
    ['', '1, 2'],
  ])('cannot be told of "%s" and the header %s', (query, header) => {
    expect(() => seqOf(query, header)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }))
  })
})
