import { expect, it } from 'vitest'
import { startHostileServer } from '../support/hostile-server.ts'
import { makeProject, startServer } from '../support/server.ts'

const sizeFunction = `
import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'
export default defineFunction({
  access: 'public',
  input: Type.Object({ picture: Type.String() }),
  async handler({ input, fetchInput }) {
    const { bytes, mediaType } = await fetchInput(input.picture, { maxBytes: 10, mediaTypes: ['image/*'] })
    return { size: bytes.length, mediaType }
  },
})
`

it('lets a function fetch inputs from listed servers only, in dev as well', async () => {
  await using pictures = await startHostileServer()
  await using secret = await startHostileServer()
  const headers = { 'content-type': 'image/png' }
  pictures.reply('/small', { kind: 'reply', headers, body: 'pixels' })
  pictures.reply('/large', { kind: 'reply', headers, body: 'many pixels' })
  pictures.reply('/page', { kind: 'reply', headers: { 'content-type': 'text/html' }, body: '<p>' })
  pictures.reply('/away', { kind: 'redirect', to: `${secret.url}/small` })
  await using project = await makeProject(
    { 'functions/size.ts': sizeFunction },
    { inputHosts: [pictures.url, '*'] },
  )
  await using server = await startServer(project, 'dev')
  const size = (picture: string) => server.call('/size', { json: { picture } })

  expect((await size(`${pictures.url}/small`)).json).toEqual({ size: 6, mediaType: 'image/png' })
  for (const [url, status, reason] of [
    [`${pictures.url}/large`, 422, 'too-large'],
    [`${pictures.url}/page`, 422, 'media-type'],
    [`${pictures.url}/away`, 422, 'scheme'],
    [`${pictures.url}/absent`, 502, 'status'],
    [`${secret.url}/small`, 422, 'scheme'],
    [`https://127.0.0.1:${secret.port}/`, 422, 'address'],
    ['https://169.254.169.254/latest/meta-data/', 422, 'address'],
    ['file:///etc/passwd', 422, 'scheme'],
    ['picture.png', 422, 'malformed'],
  ] as const) {
    const reply = await size(url)
    expect([url, reply.status, reply.json.reason]).toEqual([url, status, reason])
  }
  expect(secret.requests).toEqual([])
})
