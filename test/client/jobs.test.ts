import { describe, expect, it } from 'vitest'
import { createClient } from '../../runtime/client/client.ts'
import { startHostileServer } from '../support/hostile-server.ts'
import { errorOf } from './failed.ts'
import { openJobScene } from './job-scene.ts'

describe('the jobs of a client', () => {
  it('are listed, the newest first, as far as they are asked for', async () => {
    await using scene = await openJobScene()
    const { client, desk } = scene
    const ids = [desk.add(), desk.add({ state: 'failed' }), desk.add()].map(({ id }) => id)
    const idsOf = (jobs: readonly { readonly id: string }[]) => jobs.map(({ id }) => id)
    expect(idsOf(await client.jobs.list())).toEqual(ids.toReversed())
    expect(idsOf(await client.jobs.list({ state: 'failed' }))).toEqual([ids[1]])
    expect(idsOf(await client.jobs.list({ before: ids[2], limit: 1 }))).toEqual([ids[1]])
  })

  it('are found by their ids, and by nothing else', async () => {
    await using scene = await openJobScene()
    const { client, desk } = scene
    const job = desk.add()
    job.end({ state: 'succeeded' }, { value: 1 })
    const handle = await client.jobs.get(job.id)
    expect(await handle.result()).toBe(1)
    expect(await errorOf(client.jobs.get('job_x'))).toMatchObject({ code: 'JOB_NOT_FOUND' })
    expect(await errorOf(client.jobs.get(`${job.id}/events`))).toMatchObject({ code: 'JOB_NOT_FOUND' })
    expect(await errorOf(client.jobs.get('..'))).toMatchObject({ code: 'INPUT_INVALID' })
  })

  it('do not stand in the way of a function of that name', async () => {
    await using scene = await openJobScene()
    expect((await scene.client.jobs.call()).output).toBe('a function')
  })

  it.each([['a text'], [{ jobs: [{ id: 1 }] }], [{ jobs: [{ id: 'job_a', state: 'lost' }] }], [null]])(
    'are none where a server says %j',
    async (value) => {
      await using server = await startHostileServer()
      server.reply('/-/jobs', { kind: 'json', value })
      server.reply('/-/jobs/a', { kind: 'json', value })
      const { jobs } = createClient({ baseUrl: server.url })
      const nonsense = { code: 'FETCH_FAILED', details: { reason: 'content' } }
      expect(await errorOf(jobs.list())).toMatchObject(nonsense)
      expect(await errorOf(jobs.get('a'))).toMatchObject(nonsense)
    },
  )

  it('are asked for again where the server has no time, with a fresh token where this one has expired', async () => {
    await using server = await startHostileServer()
    const problem = (code: string, status: number, rest: object = {}) =>
      ({
        kind: 'json',
        status,
        value: { code, status, title: code, detail: code, ...rest },
        headers: { 'content-type': 'application/problem+json' },
      }) as const
    server.reply(
      '/-/jobs',
      problem('JOB_STORE_UNAVAILABLE', 503, { retryAfterMs: 1, reason: 'unreachable' }),
      problem('TOKEN_INVALID', 401, { reason: 'expired' }),
      { kind: 'json', value: { jobs: [] } },
    )
    let given = 0
    const token = (): string => {
      given += 1
      return `token-${given}`
    }
    expect(await createClient({ baseUrl: server.url, token }).jobs.list()).toEqual([])
    const tokens = server.requests.map(({ headers }) => headers.get('serve_multiplexed_model_id'))
    expect(tokens).toEqual(['token-1', 'token-1', 'token-2'])
  })
})
