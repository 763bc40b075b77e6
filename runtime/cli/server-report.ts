import type { BrokenFunction, DeployedFunction, Manifest } from '../build/manifest.ts'
import type { ModelFolderChange } from '../model/model-folders.ts'
import { compareManifests, type ManifestChange } from './manifest-change.ts'
import { formatTable, type Output } from './output.ts'

/** What is to be said once a server listens. */
export interface Listening {
  readonly appName: string
  /** What all routes begin with; empty for none. */
  readonly routePrefix: string
  /** The address, without a slash at its end. */
  readonly origin: string
  readonly manifest: Manifest
  /** The folder of the functions as people are to find it. */
  readonly functionsDirectory: string
  /** Where the playground is; `null` where there is none. */
  readonly playground: string | null
  /** Where gateways of other machines have replicas here; `null` where they cannot. */
  readonly node?: string | null
  /** A line for a shell that calls a function; `null` where none can be called as it stands. */
  readonly example: string | null
  /** Since the start of the process. */
  readonly tookMs: number
}

/** Tells what becomes of a server: events to programs, lines to people. */
export interface ServerReport {
  /** Tells what differs from the manifest before: what is broken, and, except for the first, what has gone live. */
  manifest(manifest: Manifest): void
  models(changes: readonly ModelFolderChange[]): void
  listening(facts: Listening): void
}

/** Names beyond this many are only counted. */
const longestList = 8

/** Makes the report of one server. */
export function createServerReport({ result }: Pick<Output, 'result'>): ServerReport {
  let last: Manifest | null = null
  return Object.freeze({
    manifest(manifest: Manifest) {
      const change = compareManifests(last ?? { functions: [], broken: [] }, manifest)
      for (const mistake of change.broken) result({ event: 'broken', ...mistake }, formatMistake(mistake))
      if (last !== null && isLive(change)) {
        const { added, changed, removed, mended } = change
        const functions = manifest.functions.length
        result({ event: 'live', functions, added, changed, removed, mended }, formatChange(change))
      }
      last = manifest
    },
    models(changes: readonly ModelFolderChange[]) {
      for (const change of changes) result({ event: 'model', ...change }, formatModel(change))
    },
    listening(facts: Listening) {
      const { appName: app, routePrefix, origin, manifest, playground, example, node = null, tookMs } = facts
      const functions = manifest.functions.map(({ name }) => name)
      const url = `${origin}${routePrefix || '/'}`
      const own = node === null ? {} : { node }
      const event = { event: 'listening', url, app, functions, playground, example, ...own, tookMs }
      result(event, greet(facts, url))
    },
  })
}

/** A mistake as people read it: place, reason, and what is served meanwhile. */
export function formatMistake({ place, reason, served }: BrokenFunction): string {
  const where = [place.file, place.line, place.column].filter((part) => part !== null).join(':')
  return `${where}: ${reason}${served ? ' Its last good version is served meanwhile.' : ''}`
}

function isLive({ added, changed, removed, mended }: ManifestChange): boolean {
  return [added, changed, removed, mended].some((names) => names.length > 0)
}

function formatChange({ added, changed, removed, mended }: ManifestChange): string {
  const parts = Object.entries({ New: added, Changed: changed, Gone: removed, Mended: mended })
  return parts
    .filter(([, names]) => names.length > 0)
    .map(([word, names]) => `${word}: ${formatNames(names)}.`)
    .join(' ')
}

function formatNames(names: readonly string[]): string {
  const shown = names.slice(0, longestList).join(', ')
  return names.length > longestList ? `${shown} and ${names.length - longestList} more` : shown
}

function formatModel({ id, version, change, reason }: ModelFolderChange): string {
  const name = version === null ? id : `${id}@${version}`
  return `Model ${name} ${change}${reason === null ? '.' : `: ${reason}`}`
}

/** The file that answers, and by which name where that is another deployment of it. */
export function sourceOf({ file, name, deploymentOf }: DeployedFunction): string {
  return deploymentOf === undefined ? file : `${file} as ${name}`
}

function greet({ manifest, routePrefix, functionsDirectory, ...facts }: Listening, url: string): string {
  const routes = manifest.functions.map((fn) => {
    return [`  ${fn.methods.join(',')}`, routePrefix + fn.path, sourceOf(fn)]
  })
  const nothing = `No function yet: a file in ${functionsDirectory} becomes a route.`
  return [
    `${facts.appName} is ready after ${facts.tookMs} ms`,
    routes.length > 0 ? formatTable(routes) : nothing,
    `Listening on ${url}`,
    `Documentation on ${facts.origin}/-/docs`,
    ...(facts.playground === null ? [] : [`Playground on ${facts.playground}`]),
    ...(facts.node ? [`Node for gateways on ${facts.node}`] : []),
    ...(facts.example === null ? [] : ['', 'Try it:', `  ${facts.example}`, '']),
  ].join('\n')
}
