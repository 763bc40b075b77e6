/** A Synapse backend as plain as can be, for benchmarks: each number is a model that adds it. */
import { createHash } from 'node:crypto'
import { zipSync } from 'fflate'
import { addConstantModel } from '../support/onnx-models.ts'

const weightBytes = Number(process.argv[2])
const archives = new Map<string, Uint8Array<ArrayBuffer>>()

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch({ url }) {
    const { pathname, origin } = new URL(url)
    const [, kind, id = ''] = pathname.split('/')
    const archive = archiveOf(id)
    if (kind === 'files') return new Response(archive)
    const checksum = createHash('sha256').update(archive).digest('hex')
    return Response.json({ id: Number(id), name: id, file: `${origin}/files/${id}`, checksum })
  },
})
process.stdout.write(`${server.url.origin}\n`)

function archiveOf(id: string): Uint8Array<ArrayBuffer> {
  const known = archives.get(id)
  if (known) return known
  const model = addConstantModel(Number(id), weightBytes)
  const archive = new Uint8Array(zipSync({ 'model.onnx': [model, { level: 0 }] }))
  archives.set(id, archive)
  return archive
}
