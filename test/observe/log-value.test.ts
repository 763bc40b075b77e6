import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { IsoplexError } from '../../runtime/error/error.ts'
import { type LogValue, toLogRecord, toLogText } from '../../runtime/observe/log-value.ts'

const token =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJtb2RlbCI6IjEiLCJ0b2tlbiI6IiJ9.1CazBjrjS7JZDwKCPU6cHonqeK'

function plain(value: unknown): LogValue | undefined {
  return toLogRecord({ value }, { stacks: false }).value
}

describe('toLogRecord', () => {
  it('keeps what JSON can say', () => {
    const fields = { text: 'a', number: 1.5, truth: true, nothing: null, list: [1, ['b']], record: { a: {} } }
    expect(toLogRecord(fields, { stacks: false })).toEqual(fields)
  })

  it('tells what JSON cannot say', () => {
    expect(plain(Number.NaN)).toBe('NaN')
    expect(plain(-Infinity)).toBe('-Infinity')
    expect(plain(12n)).toBe('12')
    expect(plain(Symbol('a'))).toBe('Symbol(a)')
    expect(plain(() => 'source text')).toBe('[function]')
    expect(plain(new Date(0))).toBe('1970-01-01T00:00:00.000Z')
    expect(plain(new Date(Number.NaN))).toBe('null')
    expect(plain(new URL('https://a.example/b'))).toBe('https://a.example/b')
    expect(plain(new Map([[1, 2]]))).toBe('Map(1)')
    expect(plain(new Float32Array(3))).toBe('Float32Array(12 bytes)')
    expect(plain(new ArrayBuffer(3))).toBe('ArrayBuffer(3 bytes)')
    expect(plain(undefined)).toBeUndefined()
  })

  it('replaces secrets by name, at any depth, and keeps counts', () => {
    const fields = { request: { headers: { authorization: 'Basic YTpi' } }, tokens: 512, token: null }
    expect(toLogRecord(fields, { stacks: false })).toEqual({
      request: { headers: { authorization: '[redacted]' } },
      tokens: 512,
      token: null,
    })
  })

  it('replaces tokens in values, in names and in errors', () => {
    const error = new Error(`refused ${token}`, { cause: new TypeError(token) })
    const text = JSON.stringify(toLogRecord({ a: [`x ${token}`], [token]: 1, error }, { stacks: true }))
    expect(text).not.toContain('eyJ')
    expect(text).toContain('refused [redacted]')
  })

  it('tells an error with code, details and cause', () => {
    const cause = new RangeError('inner')
    const details = { reason: 'no central directory' }
    const error = new IsoplexError('ARTIFACT_BROKEN', 'outer', { details, cause })
    expect(plain(error)).toEqual({
      name: 'IsoplexError',
      message: 'outer',
      code: 'ARTIFACT_BROKEN',
      details,
      cause: { name: 'RangeError', message: 'inner' },
    })
    expect(plain(new AggregateError([cause], 'both'))).toMatchObject({ errors: [{ message: 'inner' }] })
  })

  it('writes stacks only where they are asked for', () => {
    const error = new Error('outer', { cause: new Error('inner') })
    expect(JSON.stringify(toLogRecord({ error }, { stacks: false }))).not.toContain('log-value.test')
    expect(toLogRecord({ error }, { stacks: true })).toMatchObject({
      error: { stack: expect.stringContaining('log-value.test'), cause: { stack: expect.any(String) } },
    })
  })

  it('cuts long texts, lists and records', () => {
    expect(String(plain('x'.repeat(100_000))).length).toBeLessThan(9000)
    expect(plain(Array.from({ length: 1000 }, () => 0))).toEqual([...Array(64).fill(0), '[936 more]'])
    const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`n${index}`, 0]))
    expect(Object.keys(plain(wide) as object)).toHaveLength(65)
  })

  it('ends on cycles and on objects that share much', () => {
    const loop: Record<string, unknown> = {}
    loop.self = loop
    expect(plain(loop)).toEqual({ self: '[circular]' })
    let shared: unknown = 'leaf'
    for (let level = 0; level < 5; level++) shared = Array(60).fill(shared)
    expect(JSON.stringify(plain(shared)).length).toBeLessThan(20_000)
  })

  it('cuts what is nested too deep', () => {
    let deep: unknown = 'leaf'
    for (let level = 0; level < 100_000; level++) deep = [deep]
    expect(JSON.stringify(plain(deep))).toContain('[cut]')
  })

  it('survives properties and objects that cannot be read', () => {
    const hostile = {
      good: 1,
      get bad(): never {
        throw new Error('no')
      },
    }
    expect(plain(hostile)).toEqual({ good: 1, bad: '[unreadable]' })
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    expect(plain(proxy)).toBe('[unreadable]')
  })

  it('gives data that survives JSON, whatever it is given', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withMap: true })), (fields) => {
        const record = toLogRecord(fields, { stacks: false })
        expect(JSON.parse(JSON.stringify(record))).toEqual(JSON.parse(JSON.stringify(record)))
        expect(JSON.stringify(record)).toBe(JSON.stringify(JSON.parse(JSON.stringify(record))))
      }),
    )
  })
})

describe('toLogText', () => {
  it('cuts before it searches and leaves no piece of a token', () => {
    const text = toLogText(`${'x'.repeat(8150)} ${token}`)
    expect(text).not.toContain('eyJ')
  })
})
