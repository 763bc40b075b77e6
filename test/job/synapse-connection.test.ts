import { describe, expect, it } from 'vitest'
import { connectSynapse, findSynapseJob, type SynapseJob } from '../../runtime/job/synapse-connection.ts'
import type { SynapseParcel } from '../../runtime/job/synapse-outbox.ts'
import { type RecordingBackend, startRecordingBackend, status } from './synapse-backend.ts'

const patch: SynapseParcel = { kind: 'patch', patch: { status: 'running' }, json: '{"status":"running"}' }
const logs: SynapseParcel = { kind: 'logs', count: 1, json: '{"event":"a"}' }
const never = new AbortController().signal

function jobAt({ url }: Pick<RecordingBackend, 'url'>, more: Partial<SynapseJob> = {}): SynapseJob {
  return { id: '7/é', url, accessToken: 'very-secret', tenant: null, ...more }
}

describe('the environment', () => {
  const whole = { SYNAPSE_JOB_ID: '7', SYNAPSE_HOST: 'https://api.example/', SYNAPSE_ACCESS_TOKEN: 't' }

  it('names a job, its backend and who asks', () => {
    expect(findSynapseJob(whole)).toEqual({
      id: '7',
      url: 'https://api.example',
      accessToken: 't',
      tenant: null,
    })
    const run = { ...whole, SYNAPSE_PLUGIN_RUN_HOST: 'http://10.0.0.1:8000/api', SYNAPSE_TENANT: 'acme' }
    expect(findSynapseJob(run)).toMatchObject({ url: 'http://10.0.0.1:8000/api', tenant: 'acme' })
  })

  it('names none without an id', () => {
    expect(findSynapseJob({ ...whole, SYNAPSE_JOB_ID: '' })).toBeNull()
    expect(findSynapseJob({})).toBeNull()
  })

  it.each([
    [{ SYNAPSE_HOST: '' }, 'SYNAPSE_HOST'],
    [{ SYNAPSE_ACCESS_TOKEN: undefined }, 'SYNAPSE_ACCESS_TOKEN'],
    [{ SYNAPSE_HOST: 'api.example' }, 'http or https'],
    [{ SYNAPSE_HOST: 'ftp://api.example' }, 'http or https'],
    [{ SYNAPSE_HOST: 'https://me:pass@api.example' }, 'http or https'],
    [{ SYNAPSE_ACCESS_TOKEN: 'very\nsecret' }, 'visible characters'],
    [{ SYNAPSE_TENANT: 'é' }, 'visible characters'],
  ])('is refused with %j, without the token in the text', (change, advice) => {
    const find = () => findSynapseJob({ ...whole, ...change })
    expect(find).toThrow(advice)
    expect(find).not.toThrow(/very|pass@/)
  })
})

describe('a parcel', () => {
  it('goes to the job, or to the log, with the token in the header', async () => {
    using backend = startRecordingBackend()
    const send = connectSynapse(jobAt(backend, { tenant: 'acme' }), 'access-token')
    expect([await send(patch, never), await send(logs, never)]).toEqual([
      { kind: 'delivered' },
      { kind: 'delivered' },
    ])
    expect(backend.received.map(({ method, path, json }) => ({ method, path, json }))).toEqual([
      { method: 'PATCH', path: '/jobs/7%2F%C3%A9/', json: { status: 'running' } },
      { method: 'POST', path: '/logs/', json: { event: 'a' } },
    ])
    const { headers } = backend.received[0] ?? {}
    expect(headers?.get('synapse-access-token')).toBe('Token very-secret')
    expect(headers?.get('synapse-tenant')).toBe('Token acme')
    expect(headers?.get('content-type')).toBe('application/json')
  })

  it('goes again with the older header where the newer is not taken, and then with that one at once', async () => {
    using backend = startRecordingBackend()
    const send = connectSynapse(jobAt(backend), 'auto')
    backend.answerNext(status(401))
    expect(await send(patch, never)).toEqual({ kind: 'delivered' })
    expect(await send(patch, never)).toEqual({ kind: 'delivered' })
    expect(backend.received.map(({ headers }) => headers.has('authorization'))).toEqual([true, false, false])
  })

  it.each([429, 502, 503, 504])('may be sent again after the status %i', async (code) => {
    using backend = startRecordingBackend()
    backend.answerNext(status(code, { 'retry-after': '3' }))
    const delivery = await connectSynapse(jobAt(backend), 'auto')(patch, never)
    expect(delivery).toMatchObject({ kind: 'busy', waitMs: 3_000 })
  })

  it.each([400, 401, 404, 500])('is refused by the status %i', async (code) => {
    using backend = startRecordingBackend()
    backend.answerAll(status(code))
    expect(await connectSynapse(jobAt(backend), 'auto')(patch, never)).toMatchObject({
      kind: 'refused',
      status: code,
    })
  })

  it('may be sent again where nobody listens', async () => {
    const gone = startRecordingBackend()
    gone[Symbol.dispose]()
    expect(await connectSynapse(jobAt(gone), 'auto')(patch, never)).toMatchObject({ kind: 'busy' })
  })

  it('does not follow the backend to another place, where the token must not go', async () => {
    using backend = startRecordingBackend()
    using other = startRecordingBackend()
    backend.answerAll(status(307, { location: other.url }))
    expect(await connectSynapse(jobAt(backend), 'auto')(patch, never)).toMatchObject({ kind: 'refused' })
    expect(other.received).toEqual([])
  })

  it('is broken off by its signal', async () => {
    using backend = startRecordingBackend()
    const over = new AbortController()
    backend.answerAll(() => {
      over.abort()
      return new Promise(() => undefined)
    })
    expect(await connectSynapse(jobAt(backend), 'auto')(patch, over.signal)).toMatchObject({ kind: 'busy' })
  })
})
