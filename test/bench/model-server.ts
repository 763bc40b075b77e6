/** A Synapse backend as plain as can be, for benchmarks: each number is a model that adds it. */
import { createHash } from 'node:crypto'
import { zipSync } from 'fflate'
import { addConstantModel } from '../support/onnx-models.ts'

const weightBytes = Number(process.argv[2])
const archives = new Map<string, { readonly bytes: Uint8Array<ArrayBuffer>; readonly checksum: string }>()

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch({ url }) {
    const { pathname, origin } = new URL(url)
    const [, kind, id = ''] = pathname.split('/')
    const { bytes, checksum } = archiveOf(id)
    if (kind === 'files') return new Response(bytes)
    return Response.json({ id: Number(id), name: id, file: `${origin}/files/${id}`, checksum })
  },
})
process.stdout.write(`${server.url.origin}\n`)

function archiveOf(id: string): { readonly bytes: Uint8Array<ArrayBuffer>; readonly checksum: string } {
  const known = archives.get(id)
  if (known) return known
  const model = addConstantModel(Number(id), weightBytes)
  const bytes = new Uint8Array(zipSync({ 'model.onnx': [model, { level: 0 }] }))
  const archive = { bytes, checksum: createHash('sha256').update(bytes).digest('hex') }
  archives.set(id, archive)
  return archive
}
