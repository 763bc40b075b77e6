import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { CatalogFunction } from '../../runtime/playground/catalog.ts'
import { curlOf, inputFile, needsFile, type Snippet, typescriptOf } from '../../runtime/playground/snippet.ts'

const fn: CatalogFunction = {
  name: 'digits',
  path: '/digits',
  method: 'POST',
  kind: 'inference',
  access: 'token',
  file: 'functions/digits.ts',
  description: '',
  defaultModel: null,
  runsHere: true,
  action: null,
  graph: null,
  schemas: { params: null, query: null, input: { type: 'object' } },
  mediaTypes: ['application/json'],
}
const edge: CatalogFunction = {
  ...fn,
  name: 'hello/[name]',
  path: '/hello/{name}',
  method: 'GET',
  kind: 'function',
  runsHere: false,
  schemas: { params: {}, query: {}, input: null },
}
const snippet = (changes: Partial<Snippet> = {}): Snippet => ({
  fn,
  draft: { params: undefined, query: undefined, input: { a: [1] } },
  baseUrl: 'http://127.0.0.1:3000',
  hasToken: true,
  where: 'server',
  ...changes,
})

describe('curlOf', () => {
  it('is the call for a shell, with the token as a variable', () => {
    expect(curlOf(snippet())).toBe(
      [
        "curl 'http://127.0.0.1:3000/digits'",
        '-H "serve_multiplexed_model_id: $TOKEN"',
        "-H 'content-type: application/json'",
        `-d '{"a":[1]}'`,
      ].join(' \\\n  '),
    )
  })

  it('names the method where curl would take another', () => {
    expect(curlOf(snippet({ fn: { ...fn, method: 'PUT' } }))).toContain('-X PUT')
    const nothing = { params: undefined, query: undefined, input: undefined }
    expect(curlOf(snippet({ draft: nothing }))).toContain('-X POST')
    const draft = { params: { name: 'Ada' }, query: { loud: true }, input: undefined }
    expect(curlOf(snippet({ fn: edge, draft, hasToken: false }))).toBe(
      "curl 'http://127.0.0.1:3000/hello/Ada?loud=true'",
    )
  })

  it('gives a shell the very text, whatever is in it', () => {
    const text = `it's "quoted" $(touch x) \`y\` \\ \n end`
    const line = curlOf(snippet({ draft: { params: undefined, query: undefined, input: { text } } }))
    const { stdout } = spawnSync('sh', ['-c', line.replace(/^curl/, 'printf "%s\\0"')], {
      env: { TOKEN: 't' },
    })
    expect(JSON.parse(stdout.toString().split('\0').at(-2) ?? '')).toEqual({ text })
    expect(stdout.toString().split('\0')).toContain('serve_multiplexed_model_id: t')
  })

  it('names a file where the input is long', () => {
    const long = snippet({ draft: { params: undefined, query: undefined, input: new Array(10_000).fill(0) } })
    expect(needsFile(long)).toBe(true)
    expect(curlOf(long)).toContain(`-d @${inputFile}`)
    expect(typescriptOf(long)).toContain(`import input from './${inputFile}' with { type: 'json' }`)
    expect(typescriptOf(long)).toContain('infer(input)')
  })
})

describe('typescriptOf', () => {
  it.each([
    ['an inference function on a server', snippet(), `client.digits.infer({"a":[1]})`],
    ['in a page', snippet({ where: 'auto' }), `client.digits.infer({"a":[1]}, { where: 'auto' })`],
    [
      'an edge function',
      snippet({ fn: edge, draft: { params: { name: 'Ada' }, query: {}, input: undefined } }),
      `client["hello/[name]"].call({ params: {"name":"Ada"}, query: {} })`,
    ],
    [
      'an edge function with an input',
      snippet({ fn: { ...fn, kind: 'function' } }),
      `client.digits.call({ input: {"a":[1]} })`,
    ],
    [
      'a function without anything',
      snippet({
        fn: { ...edge, name: 'now', path: '/now' },
        draft: { params: undefined, query: undefined, input: undefined },
      }),
      'client.now.call()',
    ],
  ])('calls %s', (_, given, call) => {
    const text = typescriptOf(given)
    expect(text).toContain(call)
    expect(text).toContain('  token, //')
    expect(new Bun.Transpiler({ loader: 'ts' }).transformSync(text)).toContain('createClient')
  })

  it('has no engine where the server answers', () => {
    expect(typescriptOf(snippet({ where: 'server' }))).not.toContain('webEngine')
    expect(typescriptOf(snippet({ where: 'browser', fn: { ...fn, runsHere: false } }))).not.toContain(
      'webEngine',
    )
    expect(typescriptOf(snippet({ where: 'browser' }))).toContain('local: webEngine()')
  })
})

describe('the lines of an action', () => {
  const action: CatalogFunction = { ...edge, name: 'work', path: '/work', method: 'POST', kind: 'action' }
  const schemas = { params: null, query: null, input: {} }

  it('submit a job and wait for what it gives', () => {
    const text = typescriptOf(snippet({ fn: { ...action, schemas } }))
    expect(text).toMatch(
      /const job = await client\.work\.submit\({"a":\[1\]}\)\nconst result = await job\.result\(\)$/,
    )
    expect(curlOf(snippet({ fn: { ...action, schemas } }))).toContain(`-d '{"a":[1]}'`)
  })

  it('leave out what the action does not take', () => {
    const draft = { params: { name: 'a' }, query: undefined, input: undefined }
    expect(typescriptOf(snippet({ fn: action, draft }))).toContain(
      'submit(undefined, { params: {"name":"a"} })',
    )
    const nothing = { params: undefined, query: undefined, input: undefined }
    expect(typescriptOf(snippet({ fn: action, draft: nothing }))).toContain('submit()')
  })
})
