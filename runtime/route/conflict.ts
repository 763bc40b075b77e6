import { IsoplexError } from '../error/error.ts'
import type { FunctionRoute } from './function-route.ts'
import type { RouteSegment } from './pattern.ts'

/** Routes that can be served together, and why the others cannot. */
export interface RouteTable {
  /** The routes that clash with no other, in the given order. */
  readonly accepted: readonly FunctionRoute[]
  /** One error for each clash; its details name the files, none of which is accepted. */
  readonly conflicts: readonly IsoplexError<'ROUTE_CONFLICT'>[]
}

/** Something of which there can be one only, such as a route, and who wants it. */
interface Claim {
  readonly place: string
  readonly claimant: string
}

/** What several want, who they are, and by which setting the last of them does. */
interface Clash {
  readonly place: string
  readonly files: readonly string[]
  readonly setting: string
}

interface Rule {
  readonly claimsOf: (route: FunctionRoute) => readonly Claim[]
  readonly tell: (files: string, place: string, setting: string) => string
}

const rules: readonly Rule[] = [
  {
    claimsOf: ({ file, pattern }) => [{ place: shapeOf(pattern.segments), claimant: file }],
    tell: (files, place, setting) =>
      `${files} claim one route, ${place}. Rename one or give it another \`${setting}\`.`,
  },
  {
    claimsOf: ({ file, name }) => [{ place: name, claimant: file }],
    tell: (files, place) => `${files} are both named "${place}". Give one another \`name\`.`,
  },
  {
    // Elysia's router knows one name for a place, and fails as a whole where it is given two.
    claimsOf: ({ pattern: { segments } }) =>
      segments.flatMap((segment, index) =>
        segment.kind === 'parameter'
          ? [{ place: shapeOf(segments.slice(0, index + 1)), claimant: segment.name }]
          : [],
      ),
    tell: (files, place) => `${files} name the last parameter of ${place} differently. Name it alike in all.`,
  },
]

/**
 * Sorts out the routes that cannot be served together: two files for one route (alike but for the names of
 * parameters), two functions of one name, and two names for one place in a path. The rest can be served.
 */
export function resolveConflicts(routes: readonly FunctionRoute[]): RouteTable {
  let accepted = [...routes]
  const conflicts: IsoplexError<'ROUTE_CONFLICT'>[] = []
  for (const rule of rules) {
    const clashes = findClashes(accepted, rule)
    conflicts.push(...clashes.map((clash) => toError(rule, clash)))
    const refused = new Set(clashes.flatMap(({ files }) => files))
    accepted = accepted.filter(({ file }) => !refused.has(file))
  }
  return Object.freeze({ accepted: Object.freeze(accepted), conflicts: Object.freeze(conflicts) })
}

function findClashes(routes: readonly FunctionRoute[], { claimsOf }: Rule): readonly Clash[] {
  const claims = routes.flatMap((route) => claimsOf(route).map((claim) => ({ ...claim, route })))
  return [...Map.groupBy(claims, ({ place }) => place)]
    .filter(([, group]) => new Set(group.map(({ claimant }) => claimant)).size > 1)
    .map(([place, group]) => ({
      place,
      files: group.map(({ route }) => route.file),
      setting: group.at(-1)?.route.setting ?? 'route',
    }))
}

function toError({ tell }: Rule, { place, files, setting }: Clash): IsoplexError<'ROUTE_CONFLICT'> {
  const message = tell(files.join(' and '), place, setting)
  return new IsoplexError('ROUTE_CONFLICT', message, { details: { files } })
}

/** The route as far as requests can tell it from others: without the names of its parameters. */
function shapeOf(segments: readonly RouteSegment[]): string {
  const texts = segments.map((segment) => {
    if (segment.kind === 'static') return segment.text
    return segment.kind === 'parameter' ? '[]' : '[...]'
  })
  return `/${texts.join('/')}`
}
