import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { defineAction } from '../../runtime/index.ts'
import { curlLine, documentationPage, pagePolicy } from '../../runtime/server/page.ts'
import { sampleFunction } from '../build/manifest-samples.ts'
import { manifestOf } from './served.ts'

const identity = { appName: 'app@1.0.0', routePrefix: '/v1' }
const hostile = `</pre></code></title></style><script>alert(1)</script><img src=x onerror="alert('1')">&amp;`

/** Markup that is neither ours nor escaped would be one of these. */
const foreign = /<(?:script|img|\/?(?:iframe|svg|link|meta http))|onerror="|javascript:/i

describe('the documentation page', () => {
  it('shows texts of functions, files and the request as text', () => {
    const fn = sampleFunction('a', {
      name: hostile,
      file: hostile,
      description: hostile,
      accepts: ['application/json'],
      input: { description: hostile, [hostile]: { enum: [hostile] } },
      output: { const: hostile },
      params: { title: hostile },
      query: { title: hostile },
    })
    const broken = {
      file: hostile,
      place: { file: hostile, line: 1, column: 1 },
      reason: hostile,
      served: false,
    }
    const manifest = { functions: [fn], broken: [broken] }
    const page = documentationPage(manifest, { ...identity, appName: hostile }, `http://${hostile}`)
    expect(page).not.toMatch(foreign)
    expect(page.match(/&lt;script&gt;/g)?.length).toBeGreaterThan(10)
    expect(page).toContain('&amp;amp;')
    for (const tag of ['html', 'head', 'title', 'style', 'body', 'main']) {
      expect(page.match(new RegExp(`<${tag}[ >]`, 'g'))).toHaveLength(1)
    }
  })

  it('shows each function with what it takes and gives', () => {
    const fn = sampleFunction('digits', {
      kind: 'inference',
      methods: ['POST'],
      route: '/digits/[name]',
      description: 'Reads a digit.',
      accepts: ['application/json'],
      input: { type: 'number' },
    })
    const page = documentationPage({ functions: [fn], broken: [] }, identity, 'http://localhost:3000')
    expect(page).toContain('<code>/v1/digits/{name}</code>')
    expect(page).toContain('<p>Reads a digit.</p>')
    expect(page).toContain('Inference function, needs a model token')
    expect(page).toContain('&quot;type&quot;: &quot;number&quot;')
    expect(page).not.toContain('Output')
    expect(page).not.toContain('Files that do not build')
  })

  it('says that an action answers with a job, and what its parameters and result are', () => {
    const definition = defineAction({
      params: Type.Object({ count: Type.Integer() }),
      result: Type.Number(),
      execute: () => 1,
    })
    const page = documentationPage(
      { functions: [manifestOf('evaluate.ts', definition)], broken: [] },
      { appName: 'app@1.0.0', routePrefix: '' },
      'http://localhost',
    )
    for (const text of ['Action, needs a model token', 'Location', 'Parameters', 'Result']) {
      expect(page).toContain(text)
    }
  })

  it('shows the nodes of a graph, and whose deployment a function is', () => {
    const outline = { function: 'read', model: null, deployment: null, fanOut: false, condition: null }
    const node = { ...outline, onFailure: { retries: 0, fallback: false } }
    const nodes = [
      { ...node, name: 'found', after: [] },
      { ...node, name: 'read', after: ['found'] },
    ]
    const flow = sampleFunction('flow', { kind: 'graph', graph: { nodes, edges: [], models: [] } })
    const loud = { ...sampleFunction('loud'), deploymentOf: 'quiet' }
    const page = documentationPage({ functions: [flow, loud], broken: [] }, identity, 'http://localhost:3000')
    expect(page).toContain(
      '<ul><li><code>found</code> (<code>read</code>)</li><li><code>read</code> after found</li></ul>',
    )
    expect(page).toContain('deployment <code>loud</code> of <code>quiet</code>')
  })

  it('says where files do not build', () => {
    const place = { file: 'functions/_lib.ts', line: 7, column: 2 }
    const broken = [
      { file: 'functions/a.ts', place, reason: 'Unexpected end.', served: true },
      {
        file: 'functions/b.ts',
        place: { ...place, line: null, column: null },
        reason: 'Gone.',
        served: false,
      },
    ]
    const page = documentationPage({ functions: [], broken }, identity, 'http://localhost:3000')
    expect(page).toContain('<li><code>functions/_lib.ts:7</code> Unexpected end.</li>')
    expect(page).toContain('<li><code>functions/_lib.ts</code> Gone.</li>')
  })

  it('gives each heading an id of its own, though names hold spaces or quotes', () => {
    const functions = ['a b', 'a"b', 'a'].map((name) => sampleFunction('a', { name }))
    const page = documentationPage({ functions, broken: [] }, identity, 'http://localhost:3000')
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)
    expect(ids).toEqual(['f0', 'f1', 'f2'])
    expect([...page.matchAll(/aria-labelledby="([^"]*)"/g)].map(([, id]) => id)).toEqual(ids)
  })

  it('loads nothing: every address in it is one of this server or shown as text', () => {
    const page = documentationPage(
      { functions: [sampleFunction('a')], broken: [] },
      identity,
      'http://localhost:3000',
    )
    const links = [...page.matchAll(/(?:href|src|action|url)\s*[=(]\s*["']?([^"')\s>]*)/g)].map(
      ([, link]) => link,
    )
    expect(links).toEqual(['/-/openapi.json', '/-/routes'])
    expect(page).not.toContain('@import')
  })
})

describe('the policy of the page', () => {
  const directives = new Map(
    pagePolicy.split('; ').map((directive) => {
      const [name = '', ...values] = directive.split(' ')
      return [name, values] as const
    }),
  )

  it('leaves no way out', () => {
    for (const name of ['default-src', 'base-uri', 'form-action', 'frame-ancestors']) {
      expect(directives.get(name)).toEqual(["'none'"])
    }
    expect([...directives.keys()].toSorted()).toEqual([
      'base-uri',
      'default-src',
      'form-action',
      'frame-ancestors',
      'style-src',
    ])
  })

  it('lets in the styles of the page and no others', () => {
    const page = documentationPage({ functions: [], broken: [] }, identity, 'http://localhost:3000')
    const [, styles = ''] = /<style>([\s\S]*)<\/style>/.exec(page) ?? []
    const digest = new Bun.CryptoHasher('sha256').update(styles).digest('base64')
    expect(directives.get('style-src')).toEqual([`'sha256-${digest}'`])
    expect(page).not.toMatch(/<[^>]* style=/)
  })
})

describe('the line for a shell', () => {
  it('carries token and body where the function wants them', () => {
    const fn = sampleFunction('a', { methods: ['POST'], accepts: ['application/json'] })
    expect(curlLine(fn, 'http://localhost/a')).toBe(
      `curl -X POST -H "serve_multiplexed_model_id: $TOKEN" -H 'content-type: application/json' -d 'BODY' 'http://localhost/a'`,
    )
    expect(curlLine(sampleFunction('a', { access: 'public' }), 'http://localhost/a')).toBe(
      `curl -X GET 'http://localhost/a'`,
    )
  })
})
