import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRayJobsClient } from '../../adapters/ray-serve/jobs-client.ts'
import type { ClusterJobOrder } from '../../runtime/deploy/job-cluster.ts'

const order: ClusterJobOrder = {
  entrypoint: 'exec true',
  environment: { A: '1' },
  workingDirectory: null,
  metadata: { isoplex: 'train' },
  resources: { gpus: 1 },
}

let server: Bun.Server<undefined>
let answer: (request: Request) => Response | Promise<Response>
/** What the next connections to the log bring before they end. */
let tails: string[][]
/** The extensions that connections to the log offer, one by one. */
let offers: (string | null)[]
beforeEach(() => {
  tails = []
  offers = []
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request, self) => {
      if (request.headers.get('upgrade') !== 'websocket') return answer(request)
      offers.push(request.headers.get('sec-websocket-extensions'))
      return self.upgrade(request) ? undefined : answer(request)
    },
    websocket: {
      open(socket) {
        for (const piece of tails.shift() ?? []) socket.send(piece)
        socket.close()
      },
      message: () => undefined,
    },
  })
})
afterEach(() => server.stop(true))

const client = () => createRayJobsClient(`http://127.0.0.1:${server.port}/`)

describe('a client of Ray Jobs', () => {
  it('submits what the order says', async () => {
    let sent: unknown
    answer = async (request) => {
      sent = await request.json()
      return Response.json({ submission_id: 'raysubmit_1' })
    }
    expect(await client().submit(order)).toBe('raysubmit_1')
    expect(sent).toEqual({
      entrypoint: 'exec true',
      metadata: { isoplex: 'train' },
      runtime_env: { env_vars: { A: '1' } },
      entrypoint_num_gpus: 1,
    })
    await client().submit({ ...order, workingDirectory: 's3://a/b.zip' })
    expect(sent).toMatchObject({ runtime_env: { working_dir: 's3://a/b.zip' } })
  })

  it('follows a log over connections that break off, each word once', async () => {
    tails = [['one\n', 'tw'], ['one\ntwo\n', 'three\n'], ['one\n']]
    const states = ['RUNNING', 'RUNNING', 'SUCCEEDED']
    answer = ({ url }) =>
      Response.json(
        url.endsWith('/logs') ? { logs: 'one\ntwo\nthree\nfour\n' } : { status: states.shift(), message: '' },
      )
    expect((await Array.fromAsync(client().logs('j'))).join('')).toBe('one\ntwo\nthree\nfour\n')
  })

  it('offers no compression, which the dashboard asks for and cannot read', async () => {
    tails = [['one\n']]
    answer = ({ url }) =>
      Response.json(url.endsWith('/logs') ? { logs: 'one\n' } : { status: 'SUCCEEDED', message: '' })
    expect((await Array.fromAsync(client().logs('j'))).join('')).toBe('one\n')
    expect(offers).toEqual([null])
  })

  it.each([
    [400, 'No such thing.', 'CLUSTER_UNFIT'],
    [500, 'Oh.', 'CLUSTER_UNFIT'],
    [200, 'no JSON', 'CLUSTER_UNREACHABLE'],
    [200, '{}', 'CLUSTER_UNREACHABLE'],
  ])('says why a job is not taken: %i %s', async (status, text, code) => {
    answer = () => new Response(text, { status })
    await expect(client().submit(order)).rejects.toMatchObject({ code })
  })

  it('knows a job that is gone from a cluster that is away', async () => {
    answer = () => new Response('gone', { status: 404 })
    await expect(client().status('j')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' })
    answer = () => Response.json({ status: 'CONFUSED' })
    await expect(client().status('j')).rejects.toMatchObject({ code: 'CLUSTER_UNREACHABLE' })
    await expect(createRayJobsClient('http://127.0.0.1:9').stop('j')).rejects.toMatchObject({
      code: 'CLUSTER_UNREACHABLE',
    })
  })
})
