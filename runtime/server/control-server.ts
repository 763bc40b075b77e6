import { chmodSync } from 'node:fs'
import { Elysia } from 'elysia'
import { refusalReply, routeNotFound } from './reply.ts'
import { type Refuse, Routes } from './routes.ts'
import { addSystemRoute, type SystemRoute, type SystemRouteSurroundings } from './system-route.ts'

/** What a control server answers, and where. */
export interface ControlServerOptions {
  /** The path of its socket, about 100 bytes at most, in a folder that only its user can enter. */
  readonly socketPath: string
  readonly routes: readonly SystemRoute[]
  readonly log: SystemRouteSurroundings['log']
}

/** A server on a unix socket, which only the user who runs it can open. */
export interface ControlServer extends AsyncDisposable {
  readonly socketPath: string
}

const unlimitedIdle: object = Object.freeze({ idleTimeout: 0 })

/** Begins to listen on a unix socket of mode 0600. Closing it ends what is under way. */
export function openControlServer({ socketPath, routes, log }: ControlServerOptions): ControlServer {
  const app = new Elysia()
  const refuse: Refuse = (request, error) => refusalReply(error, request, 0)
  const methods = routes.flatMap(({ handlers }) => Object.keys(handlers))
  const paths = new Routes(app, refuse, methods)
  const connections = { hold: () => undefined, release: () => undefined }
  for (const route of routes) addSystemRoute(paths, route, { log, connections })
  app.onError(({ request }) => refuse(request, routeNotFound(request)))
  const server = Bun.serve({
    unix: socketPath,
    development: false,
    fetch: (request) => app.fetch(request),
    // Bun's types do not know that this counts for a unix socket too: adding a large model takes a while.
    ...unlimitedIdle,
  })
  chmodSync(socketPath, 0o600)
  return Object.freeze({ socketPath, [Symbol.asyncDispose]: () => server.stop(true) })
}
