import type { DeployedFunction, FunctionManifest, Manifest } from '../build/manifest.ts'
import type { DeploymentChange, DeploymentConfig, DeploymentSettings } from '../config/deployment-config.ts'
import { settingsContradictions } from '../config/deployment-contradictions.ts'
import { nearestName } from '../config/nearest.ts'
import { type AnyIsoplexError, IsoplexError, isIsoplexError } from '../error/error.ts'
import { resolveConflicts } from '../route/conflict.ts'
import type { FunctionRoute } from '../route/function-route.ts'
import { parseRoute } from '../route/pattern.ts'

/** A deployment as it is to be served. */
export interface PlannedDeployment {
  /** What clients, documents and metrics know it by: its function under the deployment's name and route. */
  readonly manifest: DeployedFunction
  /** The function itself. */
  readonly fn: FunctionManifest
  readonly settings: DeploymentSettings
  /** The prefix of which it answers everything; `null` where it answers its function's route, or only what fits that. */
  readonly mount: string | null
}

/** What can be served together, and why the rest cannot. */
export interface DeploymentPlan {
  readonly deployments: readonly PlannedDeployment[]
  /** `CONFIG_INVALID` or `ROUTE_CONFLICT`, each naming its deployment. */
  readonly problems: readonly AnyIsoplexError[]
}

/** What is said of deployments beside what their functions say. */
export interface DeploymentWishes {
  readonly configured: readonly DeploymentConfig[]
  /** Settings that were changed while the server runs, by the deployment's name. They win. @default none */
  readonly changed?: ReadonlyMap<string, DeploymentChange>
  /** The function that is to answer the route prefix itself. @default left to the functions */
  readonly entrypoint?: string | null
}

/**
 * Plans which deployments are served: each function's own, by the function's name, and those of the configuration. Where
 * two cannot be served together, functions come before deployments and an earlier deployment before a later.
 */
export function planDeployments(
  functions: readonly FunctionManifest[],
  { configured, changed = new Map(), entrypoint = null }: DeploymentWishes,
): DeploymentPlan {
  const byName = new Map(functions.map((fn) => [fn.name, fn]))
  const entries = new Map(configured.map((entry) => [entry.name, entry]))
  const problems: AnyIsoplexError[] = []
  const candidates: PlannedDeployment[] = []
  const consider = (fn: FunctionManifest, name: string, settings: DeploymentSettings): void => {
    try {
      candidates.push(toPlanned(fn, name, settings))
    } catch (error) {
      if (!isIsoplexError(error)) throw error
      problems.push(error)
      // A function does not go because its settings are wrong.
      if (name === fn.name) candidates.push({ manifest: fn, fn, settings: {}, mount: null })
    }
  }
  for (const fn of functions) {
    const entry = entries.get(fn.name)
    const own = entry?.function === fn.name ? settingsOf(entry) : {}
    consider(fn, fn.name, withChange({ ...fn.deployment, ...own }, changed.get(fn.name)))
  }
  for (const entry of configured) {
    const { name } = entry
    const fn = byName.get(entry.function)
    if (!fn) problems.push(unknownFunction(entry, [...byName.keys()]))
    else if (name !== fn.name) consider(fn, name, withChange(settingsOf(entry), changed.get(name)))
  }
  if (entrypoint !== null && !byName.has(entrypoint))
    problems.push(unknownEntrypoint(entrypoint, [...byName.keys()]))
  return withoutConflicts(candidates, problems)
}

/** The functions that nobody runs beside itself: their own deployments have replicas, or options for `setup`. */
export function apartIn(
  deployments: readonly Pick<PlannedDeployment, 'manifest' | 'fn' | 'settings'>[],
): ReadonlySet<string> {
  const apart = deployments.filter(({ manifest: { name }, fn, settings: { replicas, options = {} } }) => {
    return name === fn.name && (replicas !== undefined || !Bun.deepEquals(options, {}))
  })
  return new Set(apart.map(({ fn }) => fn.name))
}

/** A manifest with a function for each deployment; what cannot be served stands among what is broken. */
export function deployedManifest({ broken }: Manifest, { deployments, problems }: DeploymentPlan): Manifest {
  const file = 'package.json'
  const place = { file, line: null, column: null }
  return {
    functions: deployments.map(({ manifest }) => manifest),
    broken: [...broken, ...problems.map(({ message: reason }) => ({ file, place, reason, served: false }))],
  }
}

function settingsOf({ name: _, function: __, ...settings }: DeploymentConfig): DeploymentSettings {
  return settings
}

function withChange(settings: DeploymentSettings, change: DeploymentChange = {}): DeploymentSettings {
  const { replicas, ...others } = change
  const { replicas: before, ...rest } = settings
  const after = replicas === undefined ? before : (replicas ?? undefined)
  return { ...rest, ...others, ...(after === undefined ? {} : { replicas: after }) }
}

/** @throws {IsoplexError} `CONFIG_INVALID` where the settings are not for this function. */
function toPlanned(fn: FunctionManifest, name: string, settings: DeploymentSettings): PlannedDeployment {
  assertSettings(fn, name, settings)
  const isOwn = name === fn.name
  if (isOwn && settings.routePrefix === undefined)
    return { manifest: timed(fn, settings), fn, settings, mount: null }
  const prefix = settings.routePrefix ?? `/${name}`
  const { segments, parameters } = parsePrefix(prefix, name)
  if (parameters.length > 0) throw unfit(name, `its name is no path; give it a routePrefix`)
  const below = parametersBelow(fn)
  const pattern = parseRoute(`/${[...segments.map(({ text }) => text), ...below].join('/')}`, fn.file)
  const { browser, ...rest } = fn
  const manifest: DeployedFunction = {
    ...rest,
    name,
    ...(isOwn ? {} : { deploymentOf: fn.name }),
    route: pattern.route,
    path: pattern.path,
    // Pages run the function itself.
    ...(isOwn && browser ? { browser } : { runs: ['server'] }),
  }
  return { manifest: timed(manifest, settings), fn, settings, mount: below.length === 0 ? prefix : null }
}

function timed(manifest: DeployedFunction, { timeoutMs }: DeploymentSettings): DeployedFunction {
  return timeoutMs === undefined ? manifest : { ...manifest, timeoutMs }
}

function parsePrefix(
  prefix: string,
  name: string,
): { readonly segments: readonly { readonly text: string }[]; readonly parameters: readonly string[] } {
  try {
    const { segments, parameters } = parseRoute(prefix, `The deployment "${name}"`, 'routePrefix')
    return { segments: segments.flatMap((each) => (each.kind === 'static' ? [each] : [])), parameters }
  } catch (error) {
    if (!isIsoplexError(error)) throw error
    throw new IsoplexError('CONFIG_INVALID', error.message, { cause: error })
  }
}

/** The route of a function from its first path parameter on, as an author writes it. */
function parametersBelow({ route, file }: FunctionManifest): readonly string[] {
  const { segments } = parseRoute(route, file)
  const first = segments.findIndex(({ kind }) => kind !== 'static')
  return first < 0 ? [] : route.slice(1).split('/').slice(first)
}

function assertSettings(fn: FunctionManifest, name: string, settings: DeploymentSettings): void {
  const [contradiction] = settingsContradictions(settings, `The deployment "${name}"`)
  if (contradiction !== undefined) throw new IsoplexError('CONFIG_INVALID', contradiction)
  if (fn.kind === 'action' && Object.keys(settings).length + Number(name !== fn.name) > 0) {
    throw unfit(name, `"${fn.name}" is an action, whose jobs run in processes of their own`)
  }
  if (settings.batch && !fn.batch)
    throw unfit(name, `"${fn.name}" has no "batch": it takes requests one by one`)
  if (settings.maxModelsPerReplica !== undefined && !fn.model) {
    throw unfit(name, `"${fn.name}" has no model, so that maxModelsPerReplica means nothing`)
  }
}

function unfit(name: string, reason: string): IsoplexError<'CONFIG_INVALID'> {
  return new IsoplexError('CONFIG_INVALID', `The deployment "${name}" cannot be served: ${reason}.`)
}

function unknownFunction(
  { name, function: functionName }: DeploymentConfig,
  known: readonly string[],
): IsoplexError<'CONFIG_INVALID'> {
  return unfit(name, noFunction(functionName, known))
}

function unknownEntrypoint(name: string, known: readonly string[]): IsoplexError<'CONFIG_INVALID'> {
  const reason = noFunction(name, known)
  return new IsoplexError('CONFIG_INVALID', `The "entrypoint" does not answer the route prefix: ${reason}.`)
}

function noFunction(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known)
  return `there is no function "${name}"; ${nearest === null ? 'there is none' : `the nearest is "${nearest.name}"`}`
}

/** Takes in one after the other what can be served beside those before it, the functions' own routes first. */
function withoutConflicts(
  candidates: readonly PlannedDeployment[],
  problems: readonly AnyIsoplexError[],
): DeploymentPlan {
  const conflicts: AnyIsoplexError[] = []
  const accepted: PlannedDeployment[] = []
  const taken: FunctionRoute[] = []
  for (const candidate of candidates.toSorted((a, b) => rankOf(a) - rankOf(b))) {
    const routes = routesOf(candidate)
    const isFree = rankOf(candidate) === 0
    const [conflict] = isFree ? [] : resolveConflicts([...taken, ...routes]).conflicts
    if (conflict) conflicts.push(conflict)
    else {
      accepted.push(candidate)
      taken.push(...routes)
    }
  }
  return Object.freeze({ deployments: accepted, problems: [...problems, ...conflicts] })
}

/** The build has seen to it that functions at their own routes can be served together. */
function rankOf({ manifest, fn }: PlannedDeployment): number {
  return manifest.name === fn.name && manifest.route === fn.route ? 0 : 1
}

function routesOf(planned: PlannedDeployment): readonly FunctionRoute[] {
  const { manifest, fn, mount } = planned
  const { name, route } = manifest
  const isOwn = rankOf(planned) === 0
  const file = isOwn ? fn.file : `deployment "${name}" of ${fn.file}`
  const setting = isOwn ? 'route' : 'routePrefix'
  const own = { file, name, setting, pattern: parseRoute(route, file) }
  if (mount === null) return [own]
  const rest = `${mount === '/' ? '' : mount}/[...rest]`
  return [own, { ...own, pattern: parseRoute(rest, file) }]
}
