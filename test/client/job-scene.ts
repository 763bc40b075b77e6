import { createClient } from '../../runtime/client/client.ts'
import type { Client } from '../../runtime/client/handles.ts'
import type { RouteFacts } from '../../runtime/page/route-list.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'
import { createJobDesk, type JobDesk } from '../support/job-server.ts'
import { listedRoute, listOf } from './listed.ts'

/** The action of {@link openJobScene}, and a function of an awkward name. */
export interface JobRoutes {
  readonly work: { readonly kind: 'action' }
  readonly jobs: { readonly kind: 'function' }
}

/** A server with one action, `work`, before which connections can be harmed, and a client of it. */
export interface JobScene extends AsyncDisposable {
  readonly desk: JobDesk
  readonly proxy: FaultProxy
  readonly client: Client<JobRoutes>
}

/** Starts one. Its jobs do what the test says. */
export async function openJobScene(facts: Partial<RouteFacts> = {}): Promise<JobScene> {
  const desk = createJobDesk()
  desk.routes.set('/work', 'work')
  const routes = listOf(
    listedRoute({ name: 'work', kind: 'action', ...facts }),
    listedRoute({ name: 'jobs' }),
  )
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url)
      if (pathname === '/-/routes') return Response.json(routes)
      if (pathname === '/jobs') return Response.json('a function')
      return (await desk.answer(request)) ?? new Response('', { status: 404 })
    },
  })
  const proxy = await startFaultProxy(`http://127.0.0.1:${server.port}`)
  return {
    desk,
    proxy,
    client: createClient<JobRoutes>({ baseUrl: proxy.url, token: 'a-token' }),
    async [Symbol.asyncDispose]() {
      desk.cutOff()
      await proxy[Symbol.asyncDispose]()
      await server.stop(true)
    },
  }
}
