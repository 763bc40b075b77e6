/** A part of a document. */
type Json = Readonly<Record<string, unknown>>

const methods = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'])

/**
 * What an OpenAPI 3.1 document breaks of the specification's rules, as far as a document of ours can break them:
 * a sentence each, with the place.
 */
export function findOpenApiFaults(document: unknown): string[] {
  const root = document as Json
  const faults: string[] = []
  const check = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(fault)
  }
  const info = root.info as Json
  check(/^3\.1\.\d+$/.test(String(root.openapi)), 'openapi: is not 3.1')
  check(typeof info.title === 'string' && info.title !== '', 'info: has no title')
  check(typeof info.version === 'string' && info.version !== '', 'info: has no version')
  const components = root.components as Readonly<Record<string, Json>>
  for (const [kind, members] of Object.entries(components)) {
    for (const name of Object.keys(members)) {
      check(/^[A-Za-z0-9._-]+$/.test(name), `components.${kind}: has the name ${name}`)
    }
  }
  const schemes = new Set(Object.keys(components.securitySchemes ?? {}))
  const operationIds: unknown[] = []
  const shapes: string[] = []
  for (const [path, item] of Object.entries(
    root.paths as Readonly<Record<string, Readonly<Record<string, Json>>>>,
  )) {
    check(path.startsWith('/'), `${path}: does not begin with a slash`)
    shapes.push(path.replaceAll(/{[^}]*}/g, '{}'))
    for (const [method, operation] of Object.entries(item)) {
      const place = `${method} ${path}`
      check(methods.has(method), `${place}: is no method`)
      operationIds.push(operation.operationId)
      faults.push(...faultsOfOperation(operation, path, schemes).map((fault) => `${place}: ${fault}`))
    }
  }
  check(new Set(operationIds).size === operationIds.length, 'two operations have one id')
  check(new Set(shapes).size === shapes.length, 'two paths differ in the names of their parameters only')
  faults.push(...faultsOfReferences(root, root, ''))
  return faults
}

function faultsOfOperation(operation: Json, path: string, schemes: ReadonlySet<string>): string[] {
  const faults: string[] = []
  const check = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(fault)
  }
  check(/^[A-Za-z_]\w*$/.test(String(operation.operationId)), 'has an id that is no name')
  const parameters = operation.parameters as readonly Json[]
  const keys = parameters.map((parameter) => `${parameter.in} ${parameter.name}`)
  check(new Set(keys).size === keys.length, 'has a parameter twice')
  for (const parameter of parameters) {
    check(
      parameter.in !== 'path' || parameter.required === true,
      `may lack the path parameter ${parameter.name}`,
    )
    check(typeof parameter.schema === 'object', `has no schema for ${parameter.name}`)
  }
  const named = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)
  const templated = [...path.matchAll(/{([^}]*)}/g)].map(([, name]) => name)
  check(JSON.stringify(named) === JSON.stringify(templated), `has the path parameters ${named}`)
  for (const requirement of operation.security as readonly Json[]) {
    for (const scheme of Object.keys(requirement)) check(schemes.has(scheme), `needs the scheme ${scheme}`)
  }
  const responses = Object.entries(operation.responses as Readonly<Record<string, Json>>)
  check(responses.length > 0, 'has no response')
  for (const [status, response] of responses) {
    check(/^[1-5]\d\d$/.test(status), `has the status ${status}`)
    check(typeof response.description === 'string', `does not describe ${status}`)
  }
  const bodies = [operation.requestBody as Json | undefined, ...responses.map(([, response]) => response)]
  for (const body of bodies) {
    for (const mediaType of Object.keys(body?.content ?? {})) {
      check(/^[^/ ]+\/[^/ ]+$/.test(mediaType), `has the media type ${mediaType}`)
    }
  }
  return faults
}

/** References that lead nowhere, and definitions where no reference of a document leads. */
function faultsOfReferences(root: Json, value: unknown, place: string): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => {
    const here = `${place}/${name}`
    if (name === '$defs') return [`${here}: holds definitions`]
    if (name !== '$ref' || typeof member !== 'string') return faultsOfReferences(root, member, here)
    return targetOf(root, member) === undefined ? [`${here}: ${member} leads nowhere`] : []
  })
}

function targetOf(root: Json, reference: string): unknown {
  if (!reference.startsWith('#/')) return undefined
  const names = reference
    .slice(2)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
  return names.reduce<unknown>((value, name) => {
    return typeof value === 'object' && value !== null ? (value as Json)[name] : undefined
  }, root)
}
