import type { FunctionManifest, Manifest } from '../build/manifest.ts'
import { parseRoute } from '../route/pattern.ts'
import { operationOf, sharedComponents } from './openapi.ts'

/** What the app is called, and where its routes begin. */
export interface AppIdentity {
  /** `name@version`. */
  readonly appName: string
  /** The prefix of all routes, without a slash at its end; empty for none. */
  readonly routePrefix: string
}

/** The OpenAPI 3.1 document of an app. */
export function openApiDocument({ functions }: Manifest, { appName, routePrefix }: AppIdentity): object {
  const at = appName.lastIndexOf('@')
  const paths: Record<string, Record<string, object>> = {}
  for (const fn of functions) {
    const path = routePrefix + templateOf(fn)
    paths[path] ??= {}
    for (const method of fn.methods) paths[path][method.toLowerCase()] = operationOf(fn, method)
  }
  return {
    openapi: '3.1.0',
    info: { title: appName.slice(0, at), version: appName.slice(at + 1) },
    paths,
    components: sharedComponents,
  }
}

/** What `GET /-/routes` says. */
export function routeList({ functions, broken }: Manifest, { appName, routePrefix }: AppIdentity): object {
  return {
    app: appName,
    routePrefix: routePrefix || '/',
    routes: functions.map((fn) => ({
      name: fn.name,
      path: routePrefix + templateOf(fn),
      methods: fn.methods,
      kind: fn.kind,
      access: fn.access,
      file: fn.file,
      ...(fn.description === undefined ? {} : { description: fn.description }),
      ...(fn.model?.default === undefined ? {} : { defaultModel: fn.model.default }),
    })),
    broken: broken.map(({ file, place, reason, served }) => ({ file, place, reason, served })),
  }
}

/** A route as OpenAPI writes it: `/hello/{name}`. The rest of a path is a parameter as well. */
export function templateOf({ route, file }: FunctionManifest): string {
  const segments = parseRoute(route, file).segments.map((segment) =>
    segment.kind === 'static' ? segment.text : `{${segment.name}}`,
  )
  return `/${segments.join('/')}`
}
