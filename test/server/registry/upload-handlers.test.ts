import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addConstantModel } from '../../support/onnx-models.ts'
import { maxUploadBytes, pathOf, type ServedRegistry, serveRegistry } from '../served-registry.ts'

let served: ServedRegistry
beforeEach(async () => {
  served = await serveRegistry()
})
afterEach(() => served[Symbol.asyncDispose]())

const base = '/-/registry'

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
