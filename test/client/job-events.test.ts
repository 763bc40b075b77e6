import { describe, expect, it } from 'vitest'
import { createClient } from '../../runtime/client/client.ts'
import { startHostileServer } from '../support/hostile-server.ts'
import { errorOf } from './failed.ts'
import { type JobScene, openJobScene } from './job-scene.ts'
import { itemsOf } from './reading.ts'

const askedAfter = ({ desk }: JobScene): (string | null)[] =>
  desk.requests
    .filter(({ url }) => url.endsWith('/events'))
    .map(({ headers }) => headers.get('last-event-id'))

describe('the events of a job', () => {
  it('come once and in order, also over connections that break off', async () => {
    await using scene = await openJobScene()
    const { client, desk } = scene
    const job = desk.add()
    const handle = await client.jobs.get(job.id)
    const seen: unknown[] = []
    job.tell('log', { event: 'begun', data: { at: 1 } })
    for await (const { seq, kind, atMs, data } of handle.events()) {
      seen.push([seq, kind, data])
      expect(atMs).toBeGreaterThan(0)
      if (seq === 1) {
        desk.cutOff()
        job.tell('progress', { overall: 10 })
      } else if (seq === 2) {
        job.tell('message', { level: 'info', message: 'two\nlines' })
        desk.cutOff()
      } else if (seq === 3) job.end({ state: 'succeeded' })
    }
    expect(seen).toEqual([
      [1, 'log', { event: 'begun', data: { at: 1 } }],
      [2, 'progress', { overall: 10 }],
      [3, 'message', { level: 'info', message: 'two\nlines' }],
      [4, 'state', { state: 'succeeded', attempt: 0, error: null }],
    ])
    expect(askedAfter(scene)[0]).toBe('0')
    expect(new Set(askedAfter(scene))).toContain('1')
  })

  it('come although each connection breaks off somewhere in the middle of an event', async () => {
    await using scene = await openJobScene()
    const { client, desk, proxy } = scene
    const job = desk.add()
    for (let count = 1; count <= 40; count += 1) job.tell('log', { event: `e${count}`, data: {} })
    job.end({ state: 'succeeded' })
    using cuts = proxy.harm({ path: /\/events$/, harm: 'cut', atByte: 700, times: 5 })
    const events = await itemsOf((await client.jobs.get(job.id)).events())
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 41 }, (_, index) => index + 1))
    expect(cuts.count).toBe(5)
  })

  it('go on where the server was away for a while', async () => {
    await using scene = await openJobScene()
    const { client, desk, proxy } = scene
    const job = desk.add()
    const handle = await client.jobs.get(job.id)
    const result = handle.result()
    job.tell('log', { event: 'a', data: {} })
    await proxy.leave()
    job.end({ state: 'succeeded' }, { value: 'kept' })
    await proxy.return()
    expect(await result).toBe('kept')
  })

  it('begin after the one that was seen last', async () => {
    await using scene = await openJobScene()
    const { client, desk } = scene
    const job = desk.add()
    for (const event of ['a', 'b', 'c']) job.tell('log', { event, data: {} })
    job.end({ state: 'succeeded' })
    const events = await itemsOf((await client.jobs.get(job.id)).events({ after: 2 }))
    expect(events.map(({ seq }) => seq)).toEqual([3, 4])
  })

  it('end with whoever reads them', async () => {
    await using scene = await openJobScene()
    const { client, desk } = scene
    const job = desk.add()
    job.tell('log', { event: 'a', data: {} })
    const handle = await client.jobs.get(job.id)
    for await (const _ of handle.events()) break
    const gone = new AbortController()
    const reading = errorOf(itemsOf(handle.events({ signal: gone.signal })))
    gone.abort()
    expect(await reading).toMatchObject({ code: 'CANCELLED' })
  })

  it('are not asked for again where that cannot help', async () => {
    await using server = await startHostileServer()
    const job = { id: 'a', state: 'running' }
    server.reply('/-/jobs/a', { kind: 'json', value: job })
    const stream = (body: string) =>
      ({ kind: 'reply', body, headers: { 'content-type': 'text/event-stream' } }) as const
    const handle = await createClient({ baseUrl: server.url }).jobs.get('a')
    const error = { code: 'JOB_NOT_FOUND', message: 'It was forgotten.' }
    server.reply('/-/jobs/a/events', stream(`event: error\ndata: ${JSON.stringify({ error })}\n\n`))
    expect(await errorOf(itemsOf(handle.events()))).toMatchObject(error)
    server.reply('/-/jobs/a/events', {
      kind: 'reply',
      body: '<html>',
      headers: { 'content-type': 'text/html' },
    })
    expect(await errorOf(itemsOf(handle.events()))).toMatchObject({ details: { reason: 'content' } })
    for (const data of ['{nonsense', 'null', '{"kind":"log"}', '{"seq":"1","kind":"log"}']) {
      server.reply('/-/jobs/a/events', stream(`id: 1\nevent: log\ndata: ${data}\n\n`))
      expect(await errorOf(itemsOf(handle.events()))).toMatchObject({ details: { reason: 'content' } })
    }
  })

  it('are asked for again after an error that may pass', async () => {
    await using server = await startHostileServer()
    server.reply('/-/jobs/a', { kind: 'json', value: { id: 'a', state: 'running' } })
    const headers = { 'content-type': 'text/event-stream' }
    const error = { code: 'JOB_STORE_UNAVAILABLE', message: 'Away.', details: {} }
    const log = 'id: 1\nevent: log\ndata: {"seq":1,"atMs":1,"kind":"log","data":{"event":"a"}}\n\n'
    const later = 'id: 2\nevent: later\ndata: {"seq":2,"atMs":2,"kind":"later","data":{}}\n\n'
    const end = 'event: end\ndata: {"kind":"end","data":{}}\n\n'
    server.reply(
      '/-/jobs/a/events',
      { kind: 'reply', body: `${log}event: error\ndata: ${JSON.stringify({ error })}\n\n`, headers },
      {
        kind: 'reply',
        body: `:\n\n${log}${later}${end}`,
        headers,
      },
    )
    const handle = await createClient({ baseUrl: server.url }).jobs.get('a')
    const events = await itemsOf(handle.events())
    expect(events).toEqual([
      { seq: 1, atMs: 1, kind: 'log', data: { event: 'a' } },
      { seq: 2, atMs: 2, kind: 'later', data: {} },
    ])
  })
})
