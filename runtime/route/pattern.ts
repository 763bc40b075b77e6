import { IsoplexError } from '../error/error.ts'

/** One segment of a route: text as it stands, one free segment, or all that is left of the path. */
export type RouteSegment =
  | { readonly kind: 'static'; readonly text: string }
  | { readonly kind: 'parameter'; readonly name: string }
  | { readonly kind: 'rest'; readonly name: string }

/** The route of a function, without the route prefix. Frozen data. */
export interface RoutePattern {
  /** The route as an author writes it: `/hello/[name]`, `/files/[...rest]`. Parsing it gives this pattern. */
  readonly route: string
  /** The route as Elysia takes it: `/hello/:name`, `/files/*`. */
  readonly path: string
  readonly segments: readonly RouteSegment[]
  /** The names of the path parameters, in order. */
  readonly parameters: readonly string[]
}

const systemSegments: ReadonlySet<string> = new Set(['-', 'healthz', 'readyz', 'metrics'])
const plainText = /^[A-Za-z0-9~-][A-Za-z0-9._~-]*$/
const parameterName = /^[A-Za-z][A-Za-z0-9_]*$/

/**
 * Whether a file, named relative to the functions folder with forward slashes, is a function: a `.ts` or `.js`
 * file, but no `.d.ts` and no test, in no folder and under no name that begins with `_` or `.`.
 */
export function isFunctionFile(file: string): boolean {
  return (
    /\.[jt]s$/.test(file) && !/\.(?:d|test)\.[jt]s$/.test(file) && !file.split('/').some(isPrivateSegment)
  )
}

/** Whether a file or folder of this name holds helpers and no functions. */
export function isPrivateSegment(segment: string): boolean {
  return segment.startsWith('_') || segment.startsWith('.') || segment === 'node_modules'
}

/**
 * The name of a function after its file: `digits` of `digits.ts`, `admin/users` of `admin/users/index.ts`, and
 * `index` of `index.ts`.
 */
export function functionNameOf(file: string): string {
  return file.replace(/\.[jt]s$/, '').replace(/\/index$/, '')
}

/**
 * The route of a function file, named relative to the functions folder with forward slashes. `index` stands
 * for its folder, `[name]` for one segment, `[...rest]` for all that is left.
 *
 * @throws {IsoplexError} `BUILD_FAILED` where the name makes no route; the message names file and segment.
 */
export function parseFunctionFile(file: string): RoutePattern {
  const segments = file.replace(/\.[jt]s$/, '').split('/')
  if (segments.at(-1) === 'index') segments.pop()
  return parseSegments(segments, { file, setting: 'route' })
}

/**
 * The route that a function names itself, such as `/v1/[name]`. For messages, `file` is who names it, and `setting` what
 * that calls it.
 *
 * @throws {IsoplexError} `BUILD_FAILED` where the text is no route.
 */
export function parseRoute(route: string, file: string, setting = 'route'): RoutePattern {
  const by = { file, setting }
  if (!route.startsWith('/')) throw refusal(by, `The route "${route}" must begin with a slash.`)
  return parseSegments(route === '/' ? [] : route.slice(1).split('/'), by)
}

/** Whether a path, without the route prefix, belongs to the server itself, so that no function may answer it. */
export function isSystemPath(pathname: string): boolean {
  return systemSegments.has(pathname.split('/')[1] ?? '')
}

/**
 * Orders routes so that the first that fits a path is the right one: segment by segment, static text comes
 * before a parameter and a parameter before the rest.
 */
export function compareSpecificity(left: RoutePattern, right: RoutePattern): number {
  const [leftRanks, rightRanks] = [ranksOf(left), ranksOf(right)]
  if (leftRanks !== rightRanks) return leftRanks < rightRanks ? -1 : 1
  return left.path < right.path ? -1 : Number(left.path > right.path)
}

function ranksOf({ segments }: RoutePattern): string {
  return segments.map(({ kind }) => ({ static: 0, parameter: 1, rest: 2 })[kind]).join('')
}

function parseSegments(texts: readonly string[], by: RouteAuthor): RoutePattern {
  const segments = texts.map((text, index) => parseSegment(text, index === texts.length - 1, by))
  const parameters = segments.flatMap((segment) => (segment.kind === 'static' ? [] : [segment.name]))
  const twice = parameters.find((name, index) => parameters.indexOf(name) !== index)
  if (twice !== undefined) throw refusal(by, `The path parameter "${twice}" stands in it twice.`)
  const path = `/${segments.map(toPathSegment).join('/')}`
  if (isSystemPath(path)) throw refusal(by, `The server itself answers at ${path} and below.`)
  return Object.freeze({
    route: `/${texts.join('/')}`,
    path,
    segments: Object.freeze(segments),
    parameters: Object.freeze(parameters),
  })
}

function parseSegment(text: string, last: boolean, by: RouteAuthor): RouteSegment {
  if (!/[[\]]/.test(text)) return Object.freeze({ kind: 'static', text: checkText(text, by) })
  const [, dots, name] = /^\[(\.\.\.)?([^[\]]*)\]$/.exec(text) ?? []
  if (name === undefined) {
    throw refusal(by, `A path parameter must be a whole segment, as [name] or [...rest]; "${text}" is not.`)
  }
  if (!parameterName.test(name)) {
    throw refusal(
      by,
      `The path parameter "${text}" needs a name of letters, digits and underscores that begins with a letter.`,
    )
  }
  if (dots === undefined) return Object.freeze({ kind: 'parameter', name })
  if (!last) throw refusal(by, `"${text}" takes all that is left of the path, so nothing can follow it.`)
  return Object.freeze({ kind: 'rest', name })
}

function checkText(text: string, by: RouteAuthor): string {
  if (plainText.test(text)) return text
  if (text === '') throw refusal(by, 'A segment of it is empty.')
  if (isPrivateSegment(text)) throw refusal(by, `"${text}" begins with "_" or ".", which makes it no route.`)
  throw refusal(by, `"${text}" may hold letters, digits and - . _ ~ only, so that it needs no encoding.`)
}

function toPathSegment(segment: RouteSegment): string {
  if (segment.kind === 'static') return segment.text
  return segment.kind === 'parameter' ? `:${segment.name}` : '*'
}

/** Who wants a route, and what setting of it says so. */
interface RouteAuthor {
  readonly file: string
  readonly setting: string
}

function refusal({ file, setting }: RouteAuthor, reason: string): IsoplexError<'BUILD_FAILED'> {
  const message = `${file} makes no route. ${reason} Rename it or name another \`${setting}\`.`
  return new IsoplexError('BUILD_FAILED', message, { details: { file, line: null } })
}
