import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ErrorCode, errorCodes } from '../../runtime/error/codes.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { fromProblem, fromWire, toProblem, toWire, type WireError } from '../../runtime/error/wire.ts'

const secretError = new Error('postgres://user:password@host')

describe('toWire', () => {
  it('hides whatever is no error of ours', () => {
    const named = Object.assign(new Error('secret'), { name: 'IsoplexError', code: 'OTHER' })
    for (const value of [secretError, named, 'secret', { message: 'secret' }, null, undefined]) {
      const wire = toWire(value)
      expect(wire.code).toBe('INTERNAL')
      expect(JSON.stringify(wire)).not.toMatch(/secret|password/)
    }
  })

  it('sends neither stack nor cause', () => {
    const error = new IsoplexError('MODEL_BROKEN', 'No good.', {
      details: { model: 'a' },
      cause: secretError,
    })
    expect(toWire(error)).toEqual({ code: 'MODEL_BROKEN', message: 'No good.', details: { model: 'a' } })
  })
})

describe('fromWire', () => {
  it('gives back every error that was sent, through JSON', () => {
    const codes = fc.constantFrom(...(Object.keys(errorCodes) as ErrorCode[]))
    const details = fc.option(fc.dictionary(fc.string(), fc.jsonValue()), { nil: undefined })
    fc.assert(
      fc.property(codes, fc.string(), details, (code, message, given) => {
        const wire: WireError = given === undefined ? { code, message } : { code, message, details: given }
        const sent = JSON.parse(JSON.stringify(wire))
        const error = fromWire(sent)
        expect(error).toBeInstanceOf(IsoplexError)
        expect(toWire(error)).toEqual(sent)
        expect(error.status).toBe(errorCodes[code].status)
      }),
    )
  })

  it('says which request failed so', () => {
    expect(fromWire({ code: 'DRAINING', message: 'Later.' }, 'r-1').requestId).toBe('r-1')
  })

  it('makes an internal error of a code that it does not know', () => {
    for (const code of ['OTHER', 'toString', '__proto__']) {
      const error = fromWire({ code: code as ErrorCode, message: 'secret', details: { secret: 1 } })
      expect([error.code, error.status, error.details]).toEqual(['INTERNAL', 500, undefined])
      expect(error.message).not.toContain('secret')
    }
  })
})

describe('toProblem', () => {
  it('tells title, status, text, code and details', () => {
    const error = new IsoplexError('BODY_TOO_LARGE', 'The body is too large.', { details: { limitBytes: 5 } })
    expect(toProblem(error, '/requests/1')).toEqual({
      type: 'about:blank',
      title: 'The request body is too large',
      status: 413,
      detail: 'The body is too large.',
      code: 'BODY_TOO_LARGE',
      limitBytes: 5,
      instance: '/requests/1',
    })
    expect('instance' in toProblem(error)).toBe(false)
  })

  it('lets no details stand in for the members of the document', () => {
    const details = { type: 'x', title: 'x', status: 200, detail: 'x', code: 'x', model: 'a' }
    expect(toProblem(new IsoplexError('MODEL_NOT_FOUND', 'None.', { details }))).toEqual({
      type: 'about:blank',
      title: 'No such model',
      status: 404,
      detail: 'None.',
      code: 'MODEL_NOT_FOUND',
      model: 'a',
    })
  })

  it('hides the text of what is not ours', () => {
    const problem = toProblem(secretError)
    expect(problem).toMatchObject({ status: 500, code: 'INTERNAL' })
    expect(JSON.stringify(problem)).not.toContain('password')
  })
})

describe('fromProblem', () => {
  it('gives back what was told', () => {
    const error = new IsoplexError('BODY_TOO_LARGE', 'The body is too large.', { details: { limitBytes: 5 } })
    const told = fromProblem(JSON.parse(JSON.stringify(toProblem(error, '/requests/1'))), 'r-1')
    expect(told && toWire(told)).toEqual(toWire(error))
    expect(told?.requestId).toBe('r-1')
    expect(fromProblem(toProblem(new IsoplexError('TOKEN_MISSING', 'Send one.')))?.details).toBeUndefined()
  })

  it.each([
    null,
    undefined,
    'DRAINING',
    [],
    {},
    { code: 'OTHER' },
    { code: '__proto__' },
    { code: ['DRAINING'] },
  ])('makes nothing of %j', (document) => {
    expect(fromProblem(document)).toBeNull()
  })
})
