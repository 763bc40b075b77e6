/**
 * An Elysia server as somebody would write it by hand for one model: each request is parsed, run by itself and
 * answered. Arguments: the model's name, and the threads of the session; 0 leaves them to onnxruntime.
 */
import { Elysia } from 'elysia'
import { InferenceSession } from 'onnxruntime-node'
import { type ModelCase, type ModelCaseName, modelCases } from '../model-case.ts'

const [name, threads] = process.argv.slice(2)
const model: ModelCase = modelCases[name as ModelCaseName]
const session = await InferenceSession.create(model.path, { intraOpNumThreads: Number(threads) })

async function run(numbers: Float32Array): Promise<Float32Array<ArrayBuffer>> {
  const outputs = await session.run(model.feedsOf([numbers]))
  return outputs[model.output]?.data as Float32Array<ArrayBuffer>
}

const app = new Elysia()
  .post('/json', async ({ body }) => {
    const numbers = (body as Readonly<Record<string, readonly number[]>>)[model.field]
    return { result: Array.from(await run(Float32Array.from(numbers ?? []))) }
  })
  .post('/binary', async ({ body }) => {
    const result = await run(new Float32Array(body as ArrayBuffer))
    return new Response(result, { headers: { 'content-type': 'application/octet-stream' } })
  })
  .listen({ hostname: '127.0.0.1', port: 0 })
process.stdout.write(`http://127.0.0.1:${app.server?.port}\n`)
