import { describe, expect, it } from 'vitest'
import { IsoplexError } from '../../runtime/error/error.ts'
import { loadFailure } from '../../runtime/runner/load-failure.ts'

const log = "the server's log"

describe('a function without a model', () => {
  it('keeps what its own code threw to the log', () => {
    const failure = loadFailure(new Error('secret'), { name: 'digits', model: null, log })
    expect(failure).toMatchObject({ code: 'FUNCTION_BROKEN' })
    expect(failure.message).toBe('Function "digits" failed in its setup; the server\'s log has the reason.')
  })

  it('tells what is meant for callers', () => {
    const error = new IsoplexError('STORAGE_FULL', 'Full.')
    expect(loadFailure(error, { name: 'digits', model: null, log })).toBe(error)
  })
})

describe('a function with a model', () => {
  const failed = { name: 'digits', model: 'seven', log }

  it('keeps what its own code threw to the log', () => {
    const failure = loadFailure(new Error('secret'), failed)
    expect(failure).toMatchObject({ code: 'MODEL_BROKEN', details: { model: 'seven' } })
    expect(failure.message).not.toContain('secret')
  })

  it('names the model where an engine knew its file alone', () => {
    const error = new IsoplexError('MODEL_BROKEN', 'The file is cut.', { details: { model: 'model.onnx' } })
    const failure = loadFailure(error, failed)
    expect(failure.details).toEqual({ model: 'seven' })
    expect(failure.message).toBe('Function "digits" could not load model "seven": The file is cut.')
  })

  it.each([
    new IsoplexError('MODEL_BROKEN', 'It has no input "x".', { details: { model: 'seven' } }),
    new IsoplexError('PROVIDER_UNAVAILABLE', 'No device.', { details: { missing: [] } }),
  ])('tells what names it already or is about something else: $code', (error) => {
    expect(loadFailure(error, failed)).toBe(error)
  })
})
