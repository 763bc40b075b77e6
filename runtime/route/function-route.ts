import { functionNameOf, parseFunctionFile, parseRoute, type RoutePattern } from './pattern.ts'

/** Where a function file is served, and as what. Frozen data. */
export interface FunctionRoute {
  /** The file, relative to the functions folder, with forward slashes. */
  readonly file: string
  /** What logs, clients and metrics call the function. */
  readonly name: string
  readonly pattern: RoutePattern
  /** What sets its route, where that is no file. @default 'route' */
  readonly setting?: string
}

/** What a function says of its own place instead of its file. */
export interface RouteOverrides {
  /** @default the file's path without its extension */
  readonly name?: string
  /** A route such as `/v1/[name]`. @default the file's path */
  readonly route?: string
}

/**
 * The route of a function file, by its name or as the function overrides it.
 *
 * @throws {IsoplexError} `BUILD_FAILED` where file name or override make no route.
 */
export function toFunctionRoute(file: string, { name, route }: RouteOverrides = {}): FunctionRoute {
  return Object.freeze({
    file,
    name: name ?? functionNameOf(file),
    pattern: route === undefined ? parseFunctionFile(file) : parseRoute(route, file),
  })
}
