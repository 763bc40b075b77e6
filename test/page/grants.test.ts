import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Grants } from '../../runtime/page/grants.ts'
import type { PageModel } from '../../runtime/page/model.ts'

let server: Bun.Server<undefined>
let baseUrl: string
let answer: () => Response
let asked: { readonly path: string; readonly token: string | null }[]
let stickyKeys: (string | null)[]

const model: PageModel = {
  key: 'k',
  id: 'digits',
  version: '1',
  fields: {},
  digest: 'a'.repeat(64),
  sizeBytes: 5,
  url: '/artifact',
  expiresAtMs: Date.now() + 3_600_000,
}

beforeEach(() => {
  asked = []
  stickyKeys = []
  answer = () => Response.json(model)
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const { pathname } = new URL(request.url)
      asked.push({ path: pathname, token: request.headers.get('serve_multiplexed_model_id') })
      stickyKeys.push(request.headers.get('x-sticky-key'))
      return answer()
    },
  })
  baseUrl = `http://127.0.0.1:${server.port}`
})
afterEach(() => server.stop(true))

/** A text that goes on for as long as it is read. */
const endless = (): ReadableStream =>
  new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1_000_000).fill(32)) })

describe('the grant of a token', () => {
  it('is asked for with the token, once however many wait, and not again at once', async () => {
    const grants = new Grants()
    const question = { baseUrl: `${baseUrl}/`, name: 'vision/digits', token: 'secret', stickyKey: null }
    const answers = await Promise.all([grants.ask(question), grants.ask(question)])
    answers.push(await grants.ask(question))
    expect(answers).toEqual([model, model, model])
    expect(asked).toEqual([{ path: '/-/grants/vision%2Fdigits', token: 'secret' }])
  })

  it('is asked for without a token where there is none', async () => {
    await new Grants().ask({ baseUrl, name: 'digits', token: null, stickyKey: null })
    expect(asked).toEqual([{ path: '/-/grants/digits', token: null }])
  })

  it('is its own for each token and function', async () => {
    const grants = new Grants()
    for (const [name, token] of [
      ['a', 'b'],
      ['a', 'c'],
      ['b', 'b'],
      ['a', 'b'],
    ] as const) {
      await grants.ask({ baseUrl, name, token, stickyKey: null })
    }
    expect(asked).toHaveLength(3)
  })

  it('is its own for each sticky key, which goes to the server', async () => {
    const grants = new Grants()
    for (const stickyKey of ['ada', 'bob', null, 'ada']) {
      await grants.ask({ baseUrl, name: 'digits', token: 'secret', stickyKey })
    }
    expect(stickyKeys).toEqual(['ada', 'bob', null])
  })

  it('is asked for again where its link is about to end, or is not taken any more', async () => {
    const grants = new Grants()
    const question = { baseUrl, name: 'digits', token: 'secret', stickyKey: null }
    answer = () => Response.json({ ...model, expiresAtMs: Date.now() + 1_000 })
    await grants.ask(question)
    answer = () => Response.json(model)
    await grants.ask(question)
    expect(asked).toHaveLength(2)
    grants.forget(question)
    await grants.ask(question)
    expect(asked).toHaveLength(3)
  })

  it('is refused as the server refuses it, and asked for again by the next', async () => {
    const grants = new Grants()
    const question = { baseUrl, name: 'digits', token: 'secret', stickyKey: null }
    answer = () =>
      Response.json(
        { code: 'MODEL_FORBIDDEN', detail: 'Not for browsers.', status: 403, model: 'digits' },
        { status: 403 },
      )
    const refused = grants.ask(question)
    await expect(refused).rejects.toMatchObject({ code: 'MODEL_FORBIDDEN', details: { model: 'digits' } })
    answer = () => Response.json(model)
    expect(await grants.ask(question)).toEqual(model)
  })

  it('of a function that a graph calls is the one of the graph, which is asked for once', async () => {
    const grants = new Grants()
    const part = { function: 'detect', asked: 'large', model: { ...model, id: 'large', version: '2' } }
    answer = () => Response.json({ parts: [part, { ...part, asked: null, model }] })
    const question = { baseUrl, name: 'detect', token: 'secret', stickyKey: null, graph: 'read' }
    const answers = await Promise.all([
      grants.ask({ ...question, askedModel: 'large' }),
      grants.ask(question),
    ])
    expect(answers).toEqual([part.model, model])
    expect(asked).toEqual([{ path: '/-/grants/read', token: 'secret' }])
    grants.forget(question)
    await grants.ask(question)
    expect(asked).toHaveLength(2)
  })

  it('of a function that a graph does not name is its own', async () => {
    const grants = new Grants()
    const parts = [{ function: 'other', asked: null, model: { ...model, id: 'another' } }]
    answer = () => Response.json(asked.at(-1)?.path === '/-/grants/read' ? { parts } : model)
    const question = { baseUrl, name: 'detect', token: 'secret', stickyKey: null, graph: 'read' }
    expect(await grants.ask(question)).toEqual(model)
    expect(asked.map(({ path }) => path)).toEqual(['/-/grants/read', '/-/grants/detect'])
  })

  it('of a model that is asked for is what the token names, or none', async () => {
    const grants = new Grants()
    const question = { baseUrl, name: 'detect', token: 'secret', stickyKey: null }
    for (const askedModel of ['digits', 'digits@1'])
      expect(await grants.ask({ ...question, askedModel })).toEqual(model)
    const refused = grants.ask({ ...question, askedModel: 'digits@2' })
    await expect(refused).rejects.toMatchObject({
      code: 'MODEL_FORBIDDEN',
      details: { model: 'digits@2' },
    })
  })

  it.each([
    ['a page', () => new Response('<html>'), 'FETCH_FAILED'],
    ['a bare status', () => new Response('', { status: 502 }), 'FETCH_FAILED'],
    ['an unknown code', () => Response.json({ code: 'ODD', detail: 'x' }, { status: 400 }), 'FETCH_FAILED'],
    ['nothing', () => Response.json(null), 'BACKEND_BROKEN'],
    ['a text', () => Response.json('model'), 'BACKEND_BROKEN'],
    ['a digest that climbs', () => Response.json({ ...model, digest: '../../x' }), 'BACKEND_BROKEN'],
    ['no size', () => Response.json({ ...model, sizeBytes: null }), 'BACKEND_BROKEN'],
    ['a size that is none', () => Response.json({ ...model, sizeBytes: 1.5 }), 'BACKEND_BROKEN'],
    ['a link to elsewhere', () => Response.json({ ...model, url: 'http://127.0.0.1/x' }), 'BACKEND_BROKEN'],
    ['no part', () => Response.json({ parts: [] }), 'BACKEND_BROKEN'],
    ['a part that is none', () => Response.json({ parts: [null] }), 'BACKEND_BROKEN'],
    [
      'a part without a model',
      () => Response.json({ parts: [{ function: 'x', asked: null }] }),
      'BACKEND_BROKEN',
    ],
    ['a reply without an end', () => new Response(endless()), 'FETCH_FAILED'],
    ['a problem without an end', () => new Response(endless(), { status: 403 }), 'FETCH_FAILED'],
    ['no fields', () => Response.json({ ...model, fields: 'none' }), 'BACKEND_BROKEN'],
  ])('is none where the server answers with %s', async (_, reply, code) => {
    answer = reply
    const refused = new Grants().ask({ baseUrl, name: 'digits', token: 'secret', stickyKey: null })
    await expect(refused).rejects.toMatchObject({ code })
    await expect(refused).rejects.not.toThrow(/secret/)
  })

  it('is not asked for elsewhere, lest the token go there', async () => {
    let strayed = 0
    await using elsewhere = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch() {
        strayed += 1
        return Response.json(model)
      },
    })
    answer = () => Response.redirect(`${elsewhere.url}grants`, 307)
    const refused = new Grants().ask({ baseUrl, name: 'digits', token: 'secret', stickyKey: null })
    await expect(refused).rejects.toMatchObject({ code: 'FETCH_FAILED', details: { reason: 'status' } })
    expect(strayed).toBe(0)
  })

  it('is none where no server is', async () => {
    await server.stop(true)
    await expect(
      new Grants().ask({ baseUrl, name: 'digits', token: 'secret', stickyKey: null }),
    ).rejects.toMatchObject({
      code: 'FETCH_FAILED',
      details: { reason: 'connection' },
    })
  })
})
