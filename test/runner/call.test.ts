import { describe, expect, it } from 'vitest'
import type { FunctionLog } from '../../runtime/define/context.ts'
import { createOutboundPolicy } from '../../runtime/network/policy.ts'
import { createInputFetch } from '../../runtime/replica/fetched-input.ts'
import { createCall, type RunnerFacts } from '../../runtime/runner/call.ts'
import { headOf } from '../replica/request-head.ts'
import { callSource, noHandles } from './call-source.ts'

const lines: unknown[] = []
const write =
  (level: string) =>
  (message: string, fields?: Readonly<Record<string, unknown>>): void =>
    void lines.push([level, message, fields])
const log: FunctionLog = {
  debug: write('debug'),
  info: write('info'),
  warn: write('warn'),
  error: write('error'),
}
const model = { name: 'a model' }
const facts: RunnerFacts = {
  state: { count: 1 },
  model,
  modelInfo: { id: 'digits', version: '2', path: '/models/digits', tags: ['x'] },
  log,
  fetchInput: createInputFetch(createOutboundPolicy([])),
  openHandle: noHandles,
  loader: null,
  getModel: async () => model,
}
const body = Uint8Array.of(1, 2, 3)

function call(headers: readonly (readonly [string, string])[] = []) {
  const head = headOf({ method: 'PUT', url: '/a?b=c', principal: 'acme', headers })
  const decoded = { input: 'in', params: { id: 1 }, query: { q: 'x' } }
  return createCall(callSource({ head, body }), decoded, facts)
}

describe('a call', () => {
  it('has what its request and its runner are', () => {
    expect(call()).toMatchObject({
      requestId: 'request-1',
      principal: 'acme',
      input: 'in',
      params: { id: 1 },
      query: { q: 'x' },
      state: { count: 1 },
      model,
      modelId: 'digits',
      modelInfo: facts.modelInfo,
    })
  })

  it('may be taken apart', async () => {
    const { getModel, log, request } = call([['a', 'b']])
    expect(await getModel()).toBe(model)
    expect(request.headers.get('a')).toBe('b')
    lines.length = 0
    const { warn } = log
    warn('careful')
    expect(lines).toEqual([['warn', 'careful', { requestId: 'request-1' }]])
  })

  it('may be spread, and nothing of it is lost', async () => {
    const spread = { ...call(), more: 1 }
    expect(Object.keys(spread)).toEqual([...Object.keys(call()), 'more'])
    expect(await spread.getModel()).toBe(model)
    expect(spread.request.url).toBe('/a?b=c')
    spread.log.info('still here')
  })
})

describe('its log', () => {
  it('writes the request’s id beside every line, at every level', () => {
    lines.length = 0
    const { log } = call()
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level]('text', { a: 1 })
    expect(lines).toEqual(
      ['debug', 'info', 'warn', 'error'].map((level) => [level, 'text', { a: 1, requestId: 'request-1' }]),
    )
  })

  it('does not let a field take the place of the id', () => {
    lines.length = 0
    call().log.info('text', { requestId: 'forged' })
    expect(lines).toEqual([['info', 'text', { requestId: 'request-1' }]])
  })
})

describe('its request', () => {
  it('is as the client sent it', () => {
    const { request } = call([
      ['accept', 'text/plain'],
      ['x-a', '1'],
      ['x-a', '2'],
    ])
    expect(request.method).toBe('PUT')
    expect(request.url).toBe('/a?b=c')
    expect(request.body).toBe(body)
    expect([...request.headers]).toEqual([
      ['accept', 'text/plain'],
      ['x-a', '1, 2'],
    ])
  })

  it('has the same headers each time', () => {
    const { request } = call([['a', 'b']])
    expect(request.headers).toBe(request.headers)
  })
})
