import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ActionOrder } from '../../../runtime/job/message.ts'

/** The order of a job's first attempt, its parameters as JSON, with its folder in this one. */
export async function actionOrder(directory: string, params: unknown): Promise<ActionOrder> {
  const inputPath = join(directory, `input-${crypto.randomUUID()}`)
  await writeFile(inputPath, JSON.stringify(params))
  return {
    jobId: 'job_test',
    attempt: 1,
    principal: 'tenant:test',
    function: 'act',
    bundlePath: '',
    head: {
      requestId: 'submitted',
      principal: 'tenant:test',
      method: 'POST',
      url: '/act',
      params: {},
      contentType: 'application/json',
      accept: null,
      headers: [],
    },
    inputPath,
    workDirectory: join(directory, `work-${crypto.randomUUID()}`),
    modelId: null,
    steps: [],
    rolledBack: [],
    fields: null,
    runningStep: null,
    checkpoint: undefined,
    pendingEnd: null,
    overall: 0,
    metrics: {},
    session: { provider: 'cpu', fallback: null, intraOpThreads: 1 },
    inputHosts: [],
    maxJobBytes: 10_000_000,
    strict: true,
    logLevel: 'info',
  }
}
