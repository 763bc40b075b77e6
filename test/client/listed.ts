import type { RouteFacts, RouteList } from '../../runtime/page/route-list.ts'

/** A function as a server lists it: an edge function that answers POST at its name, unless a test says otherwise. */
export function listedRoute(facts: Partial<RouteFacts> & { readonly name: string }): RouteFacts {
  return {
    path: `/${facts.name}`,
    methods: ['POST'],
    kind: 'function',
    access: 'public',
    runs: ['server'],
    idempotent: true,
    file: `functions/${facts.name}.ts`,
    ...facts,
  }
}

/** What a server lists that has these functions. */
export function listOf(...routes: readonly RouteFacts[]): RouteList {
  return { app: 'test-app@1.2.3', routePrefix: '/', routes, broken: [] }
}
