import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addConstantModel } from '../../support/onnx-models.ts'
import { maxUploadBytes, type ServedRegistry, serveRegistry } from '../served-registry.ts'

let served: ServedRegistry
beforeEach(async () => {
  served = await serveRegistry()
})
afterEach(() => served[Symbol.asyncDispose]())

const base = '/-/registry'

/** The path of a URL that a reply names. */
function pathOf(url: string): string {
  expect(url).toMatch(/^http:\/\/localhost:3000\//)
  return url.slice('http://localhost:3000'.length)
}

describe('models', () => {
  it('are given as Synapse has them, with a link that needs no header', async () => {
    const digest = await served.addModel('34', 1)
    const token = await served.token({ tenant: 'acme' })
    const { status, json } = await served.call(`${base}/models/34/`, { token })
    expect({ status, json }).toEqual({
      status: 200,
      json: {
        id: 34,
        name: '34',
        version: '1',
        file: expect.stringContaining(digest),
        checksum: `sha256:${digest}`,
        size: expect.any(Number),
        tenant: 'acme',
      },
    })
    const reply = await served.fetch(pathOf(json.file))
    expect(reply.status).toBe(200)
    expect(new Uint8Array(await reply.arrayBuffer())).toEqual(addConstantModel(1))
  })

  it.each([
    { authorization: 'Token' },
    { authorization: 'Bearer' },
    { 'synapse-access-token': 'Token' },
    { authorization: 'Token', 'synapse-tenant': 'Token acme' },
  ])('are given to clients that send %j', async (headers) => {
    await served.addModel('34', 1)
    const token = await served.token({ tenant: 'acme' })
    const sent = Object.entries(headers).map(([name, value]) => [
      name,
      name === 'synapse-tenant' ? value : `${value} ${token}`,
    ])
    const reply = await served.call(`${base}/models/34`, { headers: Object.fromEntries(sent) })
    expect(reply.status).toBe(200)
  })

  it('are given by version and alias', async () => {
    await served.addModel('digits', 1)
    await served.addModel('digits', 2)
    const targets = [{ version: 1, weight: 1 }]
    await served.administration.setAlias({ actor: 'test', id: 'digits', alias: 'prod', targets })
    const token = await served.token({})
    for (const [name, version] of [
      ['digits', '2'],
      ['digits@1', '1'],
      ['digits%402', '2'],
      ['digits%40prod', '1'],
    ]) {
      expect((await served.call(`${base}/models/${name}/`, { token })).json).toMatchObject({ version })
    }
  })

  it('are refused without a right to them, each in its own way', async () => {
    await served.addModel('open', 1)
    await served.addModel('owned', 1, 'acme')
    const stranger = await served.token({ tenant: 'other' })
    const limited = await served.token({ models: ['open'] })
    const codeOf = async (name: string, options = {}): Promise<unknown> =>
      (await served.call(`${base}/models/${name}/`, options)).json.code
    expect(await codeOf('open')).toBe('ACCESS_REQUIRED')
    expect(await codeOf('open', { token: 'bad' })).toBe('ACCESS_REQUIRED')
    expect(await codeOf('owned', { token: stranger })).toBe('MODEL_FORBIDDEN')
    expect(await codeOf('owned', { token: limited })).toBe('MODEL_FORBIDDEN')
    expect(await codeOf('nowhere', { token: stranger })).toBe('MODEL_NOT_FOUND')
    expect(await codeOf('..%2fkey', { token: stranger })).toBe('MODEL_NOT_FOUND')
    const headers = { 'synapse-tenant': 'Token acme' }
    expect(await codeOf('open', { token: stranger, headers })).toBe('ACCESS_FORBIDDEN')
  })

  it('come in pages, and only those that an access gives', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await served.addModel(id, 1, id === 'b' ? 'acme' : undefined)
    const token = await served.token({ tenant: 'other' })
    const first = await served.call(`${base}/models/?page_size=2`, { token })
    expect(first.json).toMatchObject({ count: 3, results: [{ id: 'a' }, { id: 'c' }] })
    const second = await served.call(pathOf(first.json.next), { token })
    expect(second.json).toMatchObject({ count: 3, next: null, results: [{ id: 'd' }] })
    expect((await served.call(`${base}/models/?page=99`, { token })).json).toMatchObject({ results: [] })
    const owner = await served.token({ tenant: 'acme', models: ['a', 'b'] })
    expect((await served.call(`${base}/models/?page_size=1000`, { token: owner })).json).toMatchObject({
      count: 2,
    })
    for (const query of ['page=0', 'page=x', 'page_size=-1', 'page=1e9']) {
      expect((await served.call(`${base}/models/?${query}`, { token })).json).toMatchObject({
        code: 'INPUT_INVALID',
      })
    }
  })
})

describe('an artifact', () => {
  it('is given for its own grant, while it lasts', async () => {
    const digest = await served.addModel('a', 1)
    const other = await served.addModel('b', 2)
    const token = await served.token({})
    const path = pathOf((await served.call(`${base}/models/a/`, { token })).json.file)
    const refused = async (given: string): Promise<void> => {
      const reply = await served.call(given)
      expect(reply).toMatchObject({ status: 403, json: { code: 'GRANT_INVALID' } })
    }
    await refused(path.replace(digest, other))
    await refused(path.replace(digest, digest.toUpperCase()))
    await refused(path.replace(digest, `..%2f${digest}`))
    await refused(`${base}/artifacts/${digest}`)
    await refused(path.replace('grant=', 'grant=1'))
    served.nowMs += 899_000
    expect((await served.fetch(path)).status).toBe(200)
    served.nowMs += 1_001
    await refused(path)
    expect(JSON.stringify(served.log)).toBe('[]')
  })

  it('is not given for a grant that differs anywhere', async () => {
    await served.addModel('a', 1)
    const token = await served.token({})
    const path = pathOf((await served.call(`${base}/models/a/`, { token })).json.file)
    const start = path.indexOf('grant=') + 'grant='.length
    await fc.assert(
      fc.asyncProperty(
        fc.nat(path.length - start - 1),
        fc.constantFrom(...'09aZ_-.'),
        async (index, character) => {
          const altered = path.slice(0, start + index) + character + path.slice(start + index + 1)
          fc.pre(altered !== path)
          expect((await served.fetch(altered)).status).toBe(403)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('that was removed is gone', async () => {
    await served.addModel('a', 1)
    const token = await served.token({})
    const path = pathOf((await served.call(`${base}/models/a/`, { token })).json.file)
    await served.administration.removeModel({ actor: 'test', id: 'a', version: null })
    expect(await served.call(path)).toMatchObject({ status: 404, json: { code: 'ENTRY_NOT_FOUND' } })
  })
})

describe('an upload', () => {
  const model = addConstantModel(7)
  const md5 = new Bun.CryptoHasher('md5').update(model).digest('hex')

  function chunk(from: number, to: number, range = `bytes ${from}-${to - 1}/${model.length}`) {
    const body = new FormData()
    body.append('file', new File([model.slice(from, to)], 'chunk'))
    body.append('filename', 'model.onnx')
    return { method: 'PUT', body, headers: { 'content-range': range } }
  }

  async function uploadWhole(token: string): Promise<string> {
    const { json } = await served.call(`${base}/chunked_upload/`, { ...chunk(0, model.length), token })
    await served.call(pathOf(json.url), { token, json: { md5 } })
    return json.id
  }

  it('becomes a model of the tenant who sent it', async () => {
    const token = await served.token({ tenant: 'acme', rights: 'publish' })
    const begun = await served.call(`${base}/chunked_upload/`, { ...chunk(0, 10), token })
    expect(begun).toMatchObject({ status: 200, json: { offset: 10, filename: 'model.onnx' } })
    const path = pathOf(begun.json.url)
    expect((await served.call(path, { ...chunk(10, model.length), token })).json.offset).toBe(model.length)
    expect((await served.call(path, { token, json: { md5 } })).json).toEqual({
      id: begun.json.id,
      file: begun.json.url,
      checksum: `md5:${md5}`,
      size: model.length,
    })
    const json = { name: 'mine', chunked_upload: begun.json.id, plugin: 3, version: null }
    const added = await served.call(`${base}/models/`, { token, json })
    expect(added).toMatchObject({
      status: 201,
      json: { id: 'mine', version: '1', tenant: 'acme', plugin: 3 },
    })
    expect(await served.administration.showModel({ id: 'mine' })).toMatchObject({ tenant: 'acme' })
    expect(await served.administration.listAudit({ limit: 1 })).toMatchObject([{ actor: 'access:1' }])
    expect(await served.scratch.list('staging')).toEqual([])
  })

  it('takes no model over from another owner', async () => {
    await served.addModel('open', 1)
    await served.addModel('owned', 1, 'other')
    const token = await served.token({ tenant: 'acme', rights: 'publish' })
    const id = await uploadWhole(token)
    for (const name of ['open', 'owned']) {
      expect(
        await served.call(`${base}/models/`, { token, json: { name, chunked_upload: id } }),
      ).toMatchObject({
        status: 403,
        json: { code: 'MODEL_FORBIDDEN' },
      })
    }
    expect((await served.administration.showModel({ id: 'owned' })).versions).toHaveLength(1)
  })

  it('of an administrator may become any, over the administration as well', async () => {
    await served.addModel('owned', 1, 'other')
    const token = await served.token({ rights: 'admin' })
    const first = { name: 'owned', chunked_upload: await uploadWhole(token) }
    expect((await served.call(`${base}/models/`, { token, json: first })).status).toBe(201)
    const second = { id: 'new', upload: await uploadWhole(token), tenant: 'acme' }
    expect((await served.call('/-/models', { bearer: token, json: second })).status).toBe(201)
    expect(await served.administration.showModel({ id: 'owned' })).toMatchObject({ tenant: 'other' })
    expect(await served.administration.showModel({ id: 'new' })).toMatchObject({ tenant: 'acme' })
  })

  it('needs the right to publish', async () => {
    const token = await served.token({ rights: 'use' })
    for (const path of ['/chunked_upload/', '/chunked_upload/a/']) {
      expect((await served.call(base + path, { ...chunk(0, 10), token })).json.code).toBe('ACCESS_FORBIDDEN')
      expect((await served.call(base + path, chunk(0, 10))).json.code).toBe('ACCESS_REQUIRED')
    }
    const json = { name: 'a', chunked_upload: 'b' }
    expect((await served.call(`${base}/models/`, { token, json })).json.code).toBe('ACCESS_FORBIDDEN')
  })

  it('is nothing to another access, though it knows the URL', async () => {
    const token = await served.token({ rights: 'publish' })
    const thief = await served.token({ rights: 'admin' })
    const { json } = await served.call(`${base}/chunked_upload/`, { ...chunk(0, model.length), token })
    const path = pathOf(json.url)
    const attempts = [
      served.call(path, { ...chunk(0, model.length), token: thief }),
      served.call(path, { token: thief, json: { md5 } }),
      served.call(`${base}/models/`, { token: thief, json: { name: 'a', chunked_upload: json.id } }),
    ]
    for (const { status } of await Promise.all(attempts)) expect(status).toBe(404)
  })

  it.each([
    ['no range', ''],
    ['a range that lies about the length', `bytes 0-10/${model.length}`],
    ['a start that is not 0', `bytes 1-10/${model.length}`],
    ['a file that is shorter than the chunk', 'bytes 0-9/5'],
    ['a range without a total', 'bytes 0-9/*'],
  ])('is not begun with %s', async (_, range) => {
    const token = await served.token({ rights: 'publish' })
    const reply = await served.call(`${base}/chunked_upload/`, { ...chunk(0, 10, range), token })
    expect(reply).toMatchObject({ status: 422, json: { code: 'INPUT_INVALID' } })
  })

  it('is not begun for a file that is too large, and never holds more than it said', async () => {
    const token = await served.token({ rights: 'publish' })
    const tooLarge = chunk(0, 10, `bytes 0-9/${maxUploadBytes + 1}`)
    expect((await served.call(`${base}/chunked_upload/`, { ...tooLarge, token })).json.code).toBe(
      'BODY_TOO_LARGE',
    )
    const { json } = await served.call(`${base}/chunked_upload/`, { ...chunk(0, 10, 'bytes 0-9/12'), token })
    const more = await served.call(pathOf(json.url), { ...chunk(10, 20, 'bytes 10-19/20'), token })
    expect(more.json.code).toBe('INPUT_INVALID')
  })

  it('takes one of many chunks that are sent for one place at once', async () => {
    const token = await served.token({ rights: 'publish' })
    const { json } = await served.call(`${base}/chunked_upload/`, { ...chunk(0, 10), token })
    const path = pathOf(json.url)
    const sent = Array.from({ length: 8 }, () => served.call(path, { ...chunk(10, model.length), token }))
    const statuses = (await Promise.all(sent)).map(({ status }) => status)
    expect(statuses.toSorted()).toEqual([200, ...Array.from({ length: 7 }, () => 422)])
    expect((await served.call(path, { token, json: { md5 } })).status).toBe(200)
  })

  it.each([
    ['multipart/form-data', 'x', 415],
    ['multipart/form-data; boundary=a', 'x', 422],
    ['application/octet-stream', 'x', 415],
    [
      'multipart/form-data; boundary=a',
      '--a\r\ncontent-disposition: form-data; name="file"\r\n\r\nx\r\n--a--',
      422,
    ],
  ])('is not begun with a body of %s', async (contentType, body, status) => {
    const token = await served.token({ rights: 'publish' })
    const headers = { 'content-type': contentType, 'content-range': 'bytes 0-0/1' }
    expect(
      (await served.call(`${base}/chunked_upload/`, { method: 'PUT', body, token, headers })).status,
    ).toBe(status)
  })

  it('that is no model is refused and gone, and no path of the host is told', async () => {
    const token = await served.token({ rights: 'publish' })
    const bytes = new TextEncoder().encode('PK\u0003\u0004 and no more')
    const body = new FormData()
    body.append('file', new File([bytes], 'chunk'))
    const headers = { 'content-range': `bytes 0-${bytes.length - 1}/${bytes.length}` }
    const { json } = await served.call(`${base}/chunked_upload/`, { method: 'PUT', body, token, headers })
    const sum = new Bun.CryptoHasher('md5').update(bytes).digest('hex')
    await served.call(pathOf(json.url), { token, json: { md5: sum } })
    const reply = await served.call(`${base}/models/`, {
      token,
      json: { name: 'bad', chunked_upload: json.id },
    })
    expect(reply).toMatchObject({ status: 502, json: { code: 'ARTIFACT_BROKEN' } })
    expect(JSON.stringify(reply.json)).not.toContain(served.scratch.directory)
    expect(await served.scratch.list('staging')).toEqual([])
  })

  it.each([
    [{ name: 'a' }, '/chunked_upload'],
    [{ name: 'a', chunked_upload: 'b', file: '/etc/passwd' }, '/file'],
    [{ name: 'a', chunked_upload: 1 }, '/chunked_upload'],
    [{ chunked_upload: 'b' }, '/name'],
  ])('does not become a model of %j', async (json, path) => {
    const token = await served.token({ rights: 'publish' })
    const reply = await served.call(`${base}/models/`, { token, json })
    expect(reply.json).toMatchObject({ code: 'INPUT_INVALID' })
    expect(reply.json.issues.map((issue: { path: string }) => issue.path)).toContain(path)
  })

  it('keeps a file as it came', async () => {
    const token = await served.token({ rights: 'publish' })
    const added = { name: 'kept', chunked_upload: await uploadWhole(token) }
    const { json } = await served.call(`${base}/models/`, { token, json: added })
    const digest = json.checksum.slice('sha256:'.length)
    expect(new Uint8Array(await readFile(served.scratch.path('artifacts', digest)))).toEqual(model)
  })
})
