import { describe, expect, it } from 'vitest'
import {
  type CatalogFunction,
  hashOf,
  nameOfHash,
  readCatalog,
  searchFunctions,
} from '../../runtime/playground/catalog.ts'

const routes = {
  app: 'app@1',
  routes: [
    {
      name: 'b/[id]',
      path: '/b/{id}',
      methods: ['GET'],
      kind: 'function',
      access: 'public',
      file: 'functions/b/[id].ts',
    },
    {
      name: 'a',
      path: '/a',
      methods: ['POST'],
      kind: 'inference',
      access: 'token',
      description: 'Reads digits.',
      defaultModel: 'm',
    },
    { name: 'picture', path: '/picture', methods: ['POST'], kind: 'function', access: 'public' },
  ],
  broken: [{ file: 'functions/c.ts', reason: 'Unexpected }' }],
}
const document = {
  paths: {
    '/a': {
      post: {
        requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/A' } } } },
      },
    },
    '/b/{id}': {
      get: {
        parameters: [
          { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
          { name: 'loud', in: 'query', required: false, schema: { type: 'boolean' } },
        ],
      },
    },
    '/picture': { post: { requestBody: { content: { 'image/png': {} } } } },
  },
  components: { schemas: { A: { type: 'object', description: 'An A' } } },
}
const pages = { functions: { a: { bundle: 'a.js' } } }

/** One function as the page reads it. */
function find(
  name: string,
  sources: Parameters<typeof readCatalog>[0] = { routes, document, pages },
): CatalogFunction {
  const fn = readCatalog(sources).functions.find((each) => each.name === name)
  if (fn === undefined) throw new Error(`no ${name}`)
  return fn
}

describe('readCatalog', () => {
  it('knows what the jobs of an action report, as far as the server says so', () => {
    const actionOf = (action: unknown, kind = 'action') =>
      find('w', {
        routes: { routes: [{ name: 'w', path: '/w', methods: ['POST'], kind, action }] },
        document,
        pages,
      }).action
    expect(actionOf({ weights: { a: 1, b: 'x' }, steps: ['a'] })).toEqual({ weights: { a: 1 }, steps: ['a'] })
    expect(actionOf(undefined)).toEqual({ weights: {}, steps: [] })
    expect(actionOf({ weights: { a: 1 } }, 'function')).toBeNull()
  })

  it('puts together what a server says of a function', () => {
    expect(find('a')).toMatchObject({
      method: 'POST',
      kind: 'inference',
      access: 'token',
      description: 'Reads digits.',
      defaultModel: 'm',
      runsHere: true,
      mediaTypes: ['application/json'],
      schemas: { params: null, query: null, input: { type: 'object', description: 'An A' } },
    })
  })

  it('makes a schema of the parameters of a path and of a query', () => {
    const { schemas, runsHere, defaultModel } = find('b/[id]')
    expect(schemas.params).toEqual({
      type: 'object',
      properties: { id: { type: 'string' } },
      required: ['id'],
    })
    expect(schemas.query).toMatchObject({ properties: { loud: { type: 'boolean' } }, required: [] })
    expect(schemas.input).toBeNull()
    expect({ runsHere, defaultModel }).toEqual({ runsHere: false, defaultModel: null })
  })

  it('takes a body that only comes as bytes for a file', () => {
    expect(find('picture').schemas.input).toMatchObject({ 'x-file': { mediaTypes: ['image/png'] } })
  })

  it('names what does not build', () => {
    expect(readCatalog({ routes, document, pages }).broken).toEqual([
      { file: 'functions/c.ts', reason: 'Unexpected }' },
    ])
  })

  it('runs nothing here where nothing was built for pages', () => {
    expect(find('a', { routes, document, pages: null }).runsHere).toBe(false)
  })

  it.each([[null], ['text'], [[]], [{ routes: 'none', broken: [1] }]])(
    'is empty where a server answers %j',
    (answer) => {
      expect(readCatalog({ routes: answer, document: answer, pages: answer }).functions).toEqual([])
    },
  )
})

describe('searchFunctions', () => {
  const { functions } = readCatalog({ routes, document, pages })
  it.each([
    ['', 3],
    ['DIGIT', 1],
    ['infer a', 1],
    ['b [id]', 1],
    ['nothing such', 0],
  ])('finds for %j as many as %i', (search, count) => {
    expect(searchFunctions(functions, search)).toHaveLength(count)
  })
})

describe('the page’s address', () => {
  it.each([['digits'], ['hello/[name]'], ['a b#%']])('holds the name %s', (name) => {
    expect(nameOfHash(hashOf(name))).toBe(name)
  })

  it.each([[''], ['#'], ['#/'], ['#main'], ['#/%E0%A4%A']])('chooses nothing by %j', (hash) => {
    expect(nameOfHash(hash)).toBeNull()
  })
})
