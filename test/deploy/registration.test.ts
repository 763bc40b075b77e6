import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ServeApplication } from '../../runtime/define/deployment-facts.ts'
import { type RegistrationPlace, registerServeApplication } from '../../runtime/deploy/registration.ts'
import { type RecordingBackend, startRecordingBackend } from '../job/synapse-backend.ts'

const application: ServeApplication = {
  name: 'ocr@1.0.0',
  status: 'RUNNING',
  params: { num_gpus: 1 },
  replicas: 2,
  pluginRelease: null,
  data: { status: 'RUNNING', deployments: {} },
}
const meant = { job: 77, status: 'RUNNING', data: { ...application.data, name: 'ocr@1.0.0' } }
const modelled = {
  name: 'ocr@1.0.0',
  plugin_release: 12,
  action: 'deploy',
  params: { num_gpus: 1 },
  num_replicas: 2,
}

let backend: RecordingBackend
beforeEach(() => {
  backend = startRecordingBackend()
})
afterEach(() => backend[Symbol.dispose]())

const register = (
  given: Partial<ServeApplication> = {},
  place: Partial<RegistrationPlace> = {},
): Promise<unknown> =>
  registerServeApplication(
    { ...application, ...given },
    {
      backendUrl: backend.url,
      accessToken: 'secret',
      tenant: 'acme',
      backendHeaders: 'auto',
      jobId: '77',
      action: 'deploy',
      ...place,
    },
  )
const sent = (): readonly unknown[] => backend.received.map(({ json }) => json)
const taken = (id: unknown): Response => Response.json({ id }, { status: 201 })
const refused = (status: number): Response => Response.json({ detail: 'Not so.' }, { status })

describe('a registration', () => {
  it('sends what deployment actions of Synapse mean to send', async () => {
    backend.answerNext(() => taken(5))
    expect(await register()).toBe(5)
    expect(backend.received).toMatchObject([{ method: 'POST', path: '/serve_applications/', json: meant }])
    const { headers } = backend.received[0] ?? expect.unreachable()
    expect(headers.get('authorization')).toBe('Token secret')
    expect(headers.get('synapse-tenant')).toBe('Token acme')
  })

  it('sends what their request model lets through first, where the release is known', async () => {
    backend.answerNext(() => taken('a-1'))
    expect(await register({ pluginRelease: 12 })).toBe('a-1')
    expect(sent()).toEqual([modelled])
  })

  it.each([400, 422])('sends the other body where the first is refused with %i', async (status) => {
    backend.answerNext(
      () => refused(status),
      () => taken(6),
    )
    expect(await register({ pluginRelease: 12 })).toBe(6)
    expect(sent()).toEqual([modelled, meant])
  })

  it('says what the backend says of the first body where neither is taken', async () => {
    backend.answerNext(
      () => Response.json({ detail: 'Of the first.' }, { status: 422 }),
      () => Response.json({ detail: 'Of the second.' }, { status: 400 }),
    )
    const failing = register({ pluginRelease: 12 })
    await expect(failing).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    await expect(failing).rejects.toThrow('Of the first.')
  })

  it('tries the other headers where the token is refused, once', async () => {
    backend.answerNext(
      () => refused(401),
      () => taken(8),
    )
    expect(await register()).toBe(8)
    expect(backend.received[1]?.headers.get('synapse-access-token')).toBe('Token secret')
    backend.answerAll(() => refused(403))
    await expect(register()).rejects.toMatchObject({ code: 'ACCESS_FORBIDDEN' })
    expect(backend.received).toHaveLength(4)
    await expect(register({}, { backendHeaders: 'access-token' })).rejects.not.toThrow(/secret/)
    expect(backend.received).toHaveLength(5)
  })

  it('is sent once where the backend is away or breaks off', async () => {
    backend.answerAll(() => refused(503))
    await expect(register({ pluginRelease: 12 })).rejects.toMatchObject({ code: 'QUEUE_FULL' })
    expect(backend.received).toHaveLength(1)
    await expect(register({}, { backendUrl: 'http://127.0.0.1:9' })).rejects.toMatchObject({
      code: 'FETCH_FAILED',
    })
  })

  it.each([{}, { id: '' }, { id: null }, []])('needs an id: %j', async (reply) => {
    backend.answerNext(() => Response.json(reply, { status: 201 }))
    await expect(register()).rejects.toMatchObject({ code: 'FETCH_FAILED', details: { reason: 'content' } })
  })

  it('names a job of our own as it is', async () => {
    backend.answerNext(() => taken(1))
    await register({}, { jobId: 'job_1' })
    expect(sent()).toMatchObject([{ job: 'job_1' }])
  })
})
