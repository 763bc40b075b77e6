import type { ActionManifest, FunctionManifest, Manifest } from '../build/manifest.ts'
import type { RouteFacts, RouteList } from '../page/route-list.ts'
import { parseRoute } from '../route/pattern.ts'
import { jobPaths } from './job/api.ts'
import { jobSchemas } from './job/api-schemas.ts'
import { operationsOf, problemSchema, securitySchemes } from './openapi.ts'
import { SchemaComponents } from './schema-components.ts'

/** What the app is called, and where its routes begin. */
export interface AppIdentity {
  /** `name@version`. */
  readonly appName: string
  /** The prefix of all routes, without a slash at its end; empty for none. */
  readonly routePrefix: string
}

/**
 * The OpenAPI 3.1 document of an app. It has no words for the rest of a path: a function that takes it is left
 * out where another one takes a single segment in the same place, since both would be one path there.
 */
export function openApiDocument({ functions }: Manifest, { appName, routePrefix }: AppIdentity): object {
  const paths: Record<string, object> = {}
  const hasActions = functions.some(({ kind }) => kind === 'action')
  const shapes = new Set<string>()
  const parts = {
    operationIds: new Set<string>(),
    schemas: new SchemaComponents({ Problem: problemSchema, ...(hasActions ? jobSchemas : {}) }),
  }
  for (const fn of functions.toSorted((a, b) => Number(takesRest(a)) - Number(takesRest(b)))) {
    const path = routePrefix + templateOf(fn)
    const shape = path.replaceAll(/{[^}]*}/g, '{}')
    if (shapes.has(shape)) continue
    shapes.add(shape)
    paths[path] = operationsOf(fn, parts)
  }
  if (hasActions) Object.assign(paths, jobPaths())
  const components = { schemas: parts.schemas.toJson(), securitySchemes }
  return { openapi: '3.1.0', info: infoOf(appName), paths, components }
}

/** Title and version; a version is compulsory in the document, though not in a name that the environment gives. */
function infoOf(appName: string): object {
  const at = appName.lastIndexOf('@')
  return at > 0
    ? { title: appName.slice(0, at), version: appName.slice(at + 1) }
    : { title: appName, version: '0' }
}

function takesRest({ route, file }: FunctionManifest): boolean {
  return parseRoute(route, file).segments.at(-1)?.kind === 'rest'
}

/** What `GET /-/routes` says. */
export function routeList({ functions, broken }: Manifest, { appName, routePrefix }: AppIdentity): RouteList {
  return {
    app: appName,
    routePrefix: routePrefix || '/',
    routes: functions.map((fn) => ({
      name: fn.name,
      path: routePrefix + templateOf(fn),
      methods: fn.methods,
      kind: fn.kind,
      access: fn.access,
      runs: fn.runs,
      idempotent: fn.idempotent,
      ...(fn.timeoutMs === undefined ? {} : { timeoutMs: fn.timeoutMs }),
      file: fn.file,
      ...(fn.description === undefined ? {} : { description: fn.description }),
      ...(fn.model?.default === undefined ? {} : { defaultModel: fn.model.default }),
      ...(fn.deploymentOf === undefined ? {} : { deploymentOf: fn.deploymentOf }),
      ...(fn.calls === undefined ? {} : { calls: fn.calls }),
      ...(fn.action === undefined ? {} : { action: actionFacts(fn.action) }),
      ...(fn.graph === undefined ? {} : { graph: { nodes: fn.graph.nodes, edges: fn.graph.edges } }),
    })),
    broken: broken.map(({ file, place, reason, served }) => ({ file, place, reason, served })),
  }
}

function actionFacts({ weights, steps }: ActionManifest): NonNullable<RouteFacts['action']> {
  return { weights, steps }
}

/** A route as OpenAPI writes it: `/hello/{name}`. The rest of a path is a parameter as well. */
export function templateOf({ route, file }: FunctionManifest): string {
  const segments = parseRoute(route, file).segments.map((segment) =>
    segment.kind === 'static' ? segment.text : `{${segment.name}}`,
  )
  return `/${segments.join('/')}`
}
