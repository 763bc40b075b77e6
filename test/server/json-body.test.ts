import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import { BodyBudget } from '../../runtime/server/body.ts'
import { maxJsonBytes, readJson } from '../../runtime/server/json-body.ts'

const schema = Type.Object({ name: Type.String() }, { additionalProperties: false })
const budget = new BodyBudget(1_000_000)

function read(body: string | Uint8Array<ArrayBuffer>, contentType = 'application/json'): Promise<unknown> {
  const headers = { 'content-type': contentType }
  const request = new Request('http://localhost/', { method: 'POST', body, headers })
  return readJson(request, schema, { budget, timeoutMs: 1_000 })
}

describe('readJson', () => {
  it.each(['application/json', 'Application/JSON; charset=utf-8'])('reads %s', async (contentType) => {
    expect(await read('{"name":"é"}', contentType)).toEqual({ name: 'é' })
  })

  it.each([
    ['{"name":1}', '/name'],
    ['{}', '/name'],
    ['{"name":"a","more":1}', '/more'],
    ['[]', ''],
    ['null', ''],
    ['{"name":', ''],
    ['', ''],
    ['{"name":"a"}{}', ''],
    [new Uint8Array([0x22, 0xff, 0x22]), ''],
    ['['.repeat(60_000), ''],
    ['{"__proto__":{"name":"a"}}', '/__proto__'],
  ])('refuses %j at %s', async (body, path) => {
    const refusal = await read(body).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'INPUT_INVALID' })
    expect(refusal).toHaveProperty(
      'details.issues',
      expect.arrayContaining([expect.objectContaining({ path })]),
    )
    expect(budget.usedBytes).toBe(0)
  })

  it('refuses a body that is too large, and other media types, which a foreign page could send unasked', async () => {
    await expect(read(JSON.stringify({ name: 'x'.repeat(maxJsonBytes) }))).rejects.toMatchObject({
      code: 'BODY_TOO_LARGE',
      details: { limitBytes: maxJsonBytes },
    })
    for (const contentType of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      await expect(read('{"name":"a"}', contentType)).rejects.toMatchObject({
        code: 'MEDIA_TYPE_UNSUPPORTED',
      })
    }
  })
})
