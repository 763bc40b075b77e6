import type { FunctionManifest } from '../../runtime/build/manifest.ts'
import type { Work } from '../../runtime/replica/ticket.ts'
import { type AppOptions, createApp } from '../../runtime/server/app.ts'
import { deploymentOf, type Surroundings, surround } from './served.ts'

/** An app, and what it handed on. */
export interface Served extends Surroundings {
  call(path: string, init?: RequestInit): Promise<Response>
}

/** An app over these functions. Each answers with its name. */
export function serve(functions: readonly FunctionManifest[], options: Partial<AppOptions> = {}): Served {
  const identity = { appName: 'app@1.0.0', routePrefix: '', ...options.identity }
  const named = ({ deployment }: Work) => ({
    status: 200,
    headers: [['content-type', 'text/plain']] as const,
    body: new TextEncoder().encode(deployment.name),
  })
  const around = surround(named, { routePrefix: identity.routePrefix })
  const app = createApp({
    manifest: { functions, broken: [] },
    functions: functions.map((manifest) => ({ manifest, deployment: deploymentOf(manifest) })),
    exchange: around.exchange,
    corsOrigins: [],
    readiness: () => ({ ready: true }),
    systemRoutes: [],
    submissions: null,
    ...options,
    identity,
  })
  return {
    ...around,
    call: async (path, init) => await app.fetch(new Request(`http://localhost:3000${path}`, init)),
  }
}
