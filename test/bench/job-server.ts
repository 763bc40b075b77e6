import type { TestServer } from '../support/server.ts'
import { startFunctionServer } from './function-server.ts'
import { modelCases } from './model-case.ts'

/** Starts a server with the actions that are measured. */
export function startJobServer(
  flags: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<TestServer> {
  return startFunctionServer({
    functions: ['noop', 'job-inference', 'job-steps', 'job-stream', 'job-events'],
    models: { vad: modelCases.vad.path, detection: modelCases.detection.path },
    flags,
    environment,
  })
}

/** Submits a job and gives its id. */
export async function submitJob(server: TestServer, path: string, params: unknown): Promise<string> {
  const { status, text, json } = await server.call(path, { json: params })
  if (status !== 202) throw new Error(`${path} was answered with ${status}: ${text}`)
  return json.id
}

/** Submits a job, waits for its end, and gives its result. */
export async function runJob<Result>(server: TestServer, path: string, params: unknown): Promise<Result> {
  const id = await submitJob(server, path, params)
  for (;;) {
    const { json: job } = await server.call(`/-/jobs/${id}`)
    if (job.state === 'succeeded') break
    if (job.endedMs !== null) throw new Error(`${path} ${job.state}: ${JSON.stringify(job.error)}`)
    await Bun.sleep(50)
  }
  return (await server.call(`/-/jobs/${id}/result`)).json as Result
}
