import { IsoplexError } from '../error/error.ts'
import { compareSpecificity, type RoutePattern } from './pattern.ts'

/** Decoded path parameters by name. Has no prototype, so a name of the path finds no inherited property. */
export type PathParameters = Readonly<Record<string, string>>

/** A route that fits a path, and what stands in the parameters' places. */
export interface RouteMatch<Route> {
  readonly route: Route
  readonly parameters: PathParameters
}

/** Finds the route for a path without the route prefix; `null` where there is none. */
export type RouteMatcher<Route> = (pathname: string) => RouteMatch<Route> | null

/**
 * Makes a matcher over routes: of several that fit, the one with static text where others have a parameter,
 * and with a parameter where others take the rest, from the left. It agrees with Elysia's router.
 */
export function createRouteMatcher<Route extends { readonly pattern: RoutePattern }>(
  routes: readonly Route[],
): RouteMatcher<Route> {
  const ordered = routes.toSorted((left, right) => compareSpecificity(left.pattern, right.pattern))
  return (pathname) => {
    for (const route of ordered) {
      const parameters = matchPattern(route.pattern, pathname)
      if (parameters !== null) return Object.freeze({ route, parameters })
    }
    return null
  }
}

/**
 * The decoded path parameters where a path fits a pattern, else `null`. One slash at the end is ignored; a
 * parameter is never empty, the rest of a path may be. Static text is compared as it stands, case and all.
 *
 * @throws {IsoplexError} `REQUEST_MALFORMED` where the path fits but a parameter is no percent-encoded UTF-8.
 */
export function matchPattern({ segments }: RoutePattern, pathname: string): PathParameters | null {
  if (!pathname.startsWith('/')) return null
  const texts = pathname.slice(1).split('/')
  const raw: [name: string, text: string][] = []
  for (const [index, segment] of segments.entries()) {
    const text = texts[index]
    if (text === undefined) return null
    if (segment.kind === 'rest') return decodeAll([...raw, [segment.name, texts.slice(index).join('/')]])
    if (segment.kind === 'static' ? text !== segment.text : text === '') return null
    if (segment.kind === 'parameter') raw.push([segment.name, text])
  }
  const ended =
    texts.length === segments.length || (texts.length === segments.length + 1 && texts.at(-1) === '')
  return ended ? decodeAll(raw) : null
}

function decodeAll(raw: readonly (readonly [name: string, text: string])[]): PathParameters {
  const parameters: Record<string, string> = Object.create(null)
  for (const [name, text] of raw) parameters[name] = decode(name, text)
  return Object.freeze(parameters)
}

function decode(name: string, text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (cause) {
    throw new IsoplexError(
      'REQUEST_MALFORMED',
      `The path parameter "${name}" is not percent-encoded UTF-8; encode it with encodeURIComponent.`,
      { cause },
    )
  }
}
