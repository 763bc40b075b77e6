import { readGraph } from './graph-facts.ts'
import type { GraphFacts } from './graph-layout.ts'
import { isRecord, type JsonSchema, resolveSchema, type SchemaDocument } from './schema.ts'

/** The three parts of a call that a person fills in, in the order of a form. */
export const slots = ['params', 'query', 'input'] as const

/** One part of a call. */
export type Slot = (typeof slots)[number]

/** A function as the page shows it. */
export interface CatalogFunction {
  readonly name: string
  /** With `{name}` where a path parameter stands, and the prefix of the app. */
  readonly path: string
  readonly method: string
  readonly kind: string
  readonly access: 'token' | 'public'
  readonly file: string
  readonly description: string
  /** The model that answers where no token is needed; `null` for none. */
  readonly defaultModel: string | null
  /** Whether it was built for pages too. */
  readonly runsHere: boolean
  /** What the jobs of an action report; `null` for functions. */
  readonly action: ActionFacts | null
  /** What a graph is made of; `null` for other functions. */
  readonly graph: GraphFacts | null
  /** What each part of a call looks like; `null` where the function takes none. */
  readonly schemas: Readonly<Record<Slot, JsonSchema | null>>
  /** The media types of a body, the first being the usual one; empty for none. */
  readonly mediaTypes: readonly string[]
}

/** What is known of the jobs of an action before there is one. */
export interface ActionFacts {
  /** The categories of its progress, or its steps, with their weights. */
  readonly weights: Readonly<Record<string, number>>
  /** Its steps in their order; empty for none. */
  readonly steps: readonly string[]
}

/** All that a server offers. */
export interface Catalog {
  readonly app: string
  readonly functions: readonly CatalogFunction[]
  /** Files that do not build, and why. */
  readonly broken: readonly { readonly file: string; readonly reason: string }[]
  /** What references in the schemas lead into. */
  readonly document: SchemaDocument
}

/** What the server answered, each read as JSON. */
export interface CatalogSources {
  /** `GET /-/routes` */
  readonly routes: unknown
  /** `GET /-/openapi.json` */
  readonly document: unknown
  /** `GET /-/browser/index.json`; `null` where nothing was built for pages. */
  readonly pages: unknown
}

/** Puts together what a server says of its functions. What it does not say is left empty. */
export function readCatalog({ routes, document, pages }: CatalogSources): Catalog {
  const list = isRecord(routes) ? routes : {}
  const schemas = isRecord(document) ? document : {}
  const here = isRecord(pages) && isRecord(pages.functions) ? pages.functions : {}
  const functions = recordsOf(list.routes).map((route) => readFunction(route, schemas, here))
  return {
    app: textOf(list.app),
    functions: functions.toSorted((left, right) => left.name.localeCompare(right.name)),
    broken: recordsOf(list.broken).map(({ file, reason }) => ({
      file: textOf(file),
      reason: textOf(reason),
    })),
    document: schemas,
  }
}

/** The functions whose name, description or kind holds every word of a search, whatever the case. */
export function searchFunctions(
  functions: readonly CatalogFunction[],
  search: string,
): readonly CatalogFunction[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  return functions.filter(({ name, description, kind, path }) => {
    const text = `${name} ${description} ${kind} ${path}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

/** The function's name as the page's address holds it. */
export function hashOf(name: string): string {
  return `#/${encodeURIComponent(name)}`
}

/** The function's name that a page's address holds; `null` for none. */
export function nameOfHash(hash: string): string | null {
  if (!hash.startsWith('#/')) return null
  try {
    return decodeURIComponent(hash.slice(2)) || null
  } catch {
    return null
  }
}

function readFunction(
  route: Readonly<Record<string, unknown>>,
  document: SchemaDocument,
  here: Readonly<Record<string, unknown>>,
): CatalogFunction {
  const path = textOf(route.path)
  const method = Array.isArray(route.methods) ? textOf(route.methods[0]) : 'GET'
  const operation = operationOf(document, path, method)
  const parameters = recordsOf(operation.parameters)
  const content = isRecord(operation.requestBody) ? operation.requestBody.content : undefined
  const bodies = isRecord(content) ? content : {}
  const name = textOf(route.name)
  return {
    name,
    path,
    method,
    kind: textOf(route.kind),
    access: route.access === 'public' ? 'public' : 'token',
    file: textOf(route.file),
    description: textOf(route.description),
    defaultModel: textOf(route.defaultModel) || null,
    runsHere: Object.hasOwn(here, name),
    action: route.kind === 'action' ? actionOf(route.action) : null,
    graph: route.kind === 'graph' ? readGraph(route.graph) : null,
    schemas: {
      params: parametersIn('path', parameters),
      query: parametersIn('query', parameters),
      input: bodySchema(bodies, document),
    },
    mediaTypes: Object.keys(bodies),
  }
}

function actionOf(action: unknown): ActionFacts {
  const { weights, steps } = isRecord(action) ? action : {}
  const weighed = Object.entries(isRecord(weights) ? weights : {})
  return {
    weights: Object.fromEntries(weighed.filter((entry): entry is [string, number] => Number(entry[1]) >= 0)),
    steps: Array.isArray(steps) ? steps.map(textOf) : [],
  }
}

function operationOf(
  document: SchemaDocument,
  path: string,
  method: string,
): Readonly<Record<string, unknown>> {
  const paths = isRecord(document.paths) ? document.paths : {}
  const operations = Object.hasOwn(paths, path) ? paths[path] : undefined
  const operation = isRecord(operations) ? operations[method.toLowerCase()] : undefined
  return isRecord(operation) ? operation : {}
}

function parametersIn(
  place: string,
  parameters: readonly Readonly<Record<string, unknown>>[],
): JsonSchema | null {
  const found = parameters.filter((parameter) => parameter.in === place)
  if (found.length === 0) return null
  return {
    type: 'object',
    properties: Object.fromEntries(found.map(({ name, schema }) => [textOf(name), schema ?? {}])),
    required: found.filter(({ required }) => required === true).map(({ name }) => textOf(name)),
  }
}

/** The schema of the JSON form; a body that only comes as bytes is a file. */
function bodySchema(bodies: Readonly<Record<string, unknown>>, document: SchemaDocument): JsonSchema | null {
  const mediaTypes = Object.keys(bodies)
  if (mediaTypes.length === 0) return null
  const described = Object.values(bodies).find((body) => isRecord(body) && isRecord(body.schema))
  if (isRecord(described)) return resolveSchema(described.schema, document)
  return { type: 'string', format: 'byte', contentEncoding: 'base64', 'x-file': { mediaTypes } }
}

function recordsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isRecord) : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
