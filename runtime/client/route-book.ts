import { IsoplexError } from '../error/error.ts'
import type { RouteFacts, RouteList } from '../page/route-list.ts'

/** The functions of a server, as it lists them itself. */
export interface RouteBook {
  /** Asks the server what it has. */
  list(): Promise<RouteList>
  /**
   * The facts of a function; the server is asked only where they are not known yet.
   *
   * @throws {IsoplexError} `ROUTE_NOT_FOUND` where the server has no such function, and names those that it has.
   */
  find(name: string): Promise<RouteFacts>
  /** The facts of a function after a request to it came to nothing; `null` where they are as they were. */
  findMoved(known: RouteFacts): Promise<RouteFacts | null>
}

/** Makes a book of what `ask` answers. Who asks at once shares one answer. */
export function createRouteBook(ask: () => Promise<RouteList>): RouteBook {
  let known: Promise<RouteList> | null = null
  const list = (): Promise<RouteList> => {
    const asked = ask()
    known = asked
    asked.catch(() => {
      if (known === asked) known = null
    })
    return asked
  }
  const find = async (name: string): Promise<RouteFacts> => {
    const remembered = known && factsOf(await known, name)
    if (remembered) return remembered
    const fresh = await list()
    return factsOf(fresh, name) ?? fail(fresh, name)
  }
  return {
    list,
    find,
    async findMoved(facts) {
      const moved = factsOf(await list(), facts.name)
      return moved && JSON.stringify(moved) !== JSON.stringify(facts) ? moved : null
    },
  }
}

function factsOf({ routes }: RouteList, name: string): RouteFacts | undefined {
  return routes.find((facts) => facts.name === name)
}

function fail({ app, routes }: RouteList, name: string): never {
  const names = routes.map((facts) => facts.name).join(', ')
  throw new IsoplexError('ROUTE_NOT_FOUND', `${app} has no function "${name}"; it has ${names || 'none'}.`)
}

/**
 * Checks what came from the network for what a client relies on.
 *
 * @throws {TypeError} where it is no list of routes.
 */
export function toRouteList(value: unknown): RouteList {
  const { routes } = (value ?? {}) as Partial<RouteList>
  const isList = Array.isArray(routes) && routes.every(isFacts)
  if (!isList) throw new TypeError('This is no list of routes.')
  return value as RouteList
}

function isFacts(value: Partial<RouteFacts> | null): boolean {
  return (
    typeof value?.name === 'string' &&
    typeof value.path === 'string' &&
    value.path.startsWith('/') &&
    Array.isArray(value.methods) &&
    value.methods.length > 0 &&
    value.methods.every((method) => typeof method === 'string')
  )
}

/** The route of a function after its name alone, for when no server can be asked. */
export function guessRoute(name: string): Pick<RouteFacts, 'path' | 'methods'> {
  const path = name === 'index' ? '' : name.replace(/\[(?:\.\.\.)?(\w+)\]/g, '{$1}')
  return { path: `/${path}`, methods: [] }
}
