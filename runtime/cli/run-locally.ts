import { createClient } from '../client/client.ts'
import { openLocalServer } from '../entry/local-server.ts'
import { localToken } from '../entry/local-token.ts'
import { createProcessLog } from '../entry/process-log.ts'
import { IsoplexError } from '../error/error.ts'
import { createOutput } from './output.ts'
import { callFunction, submitJob } from './run-call.ts'
import { findFunction, type RunRequest } from './run-request.ts'

/**
 * Runs a function in the process tree of the command, on a server that nobody else can reach. Gives the exit code.
 *
 * @throws {IsoplexError} `CONFIG_INVALID`, `ROUTE_NOT_FOUND`, `BUILD_FAILED`, and whatever the call fails with.
 */
export async function runLocally(request: RunRequest): Promise<number> {
  const { name, model, tenant, project, json } = request
  const output = createOutput(json)
  await using server = await openLocalServer({
    ...project,
    log: createProcessLog(project.config.logLevel),
    onModels: (changes) => {
      for (const { id, change, reason } of changes) {
        if (reason !== null) output.note(`Model ${id} ${change}: ${reason}`)
      }
    },
  })
  const fn = findFunction(server.manifest, name)
  if (fn.kind === 'action' && model !== null) {
    const message = `"${name}" is an action: name its models among the parameters, not by --model.`
    throw new IsoplexError('CONFIG_INVALID', message)
  }
  const client = createClient({
    baseUrl: server.origin,
    fetch: (url, init) => server.fetch(url, init),
    token: model === null ? null : localToken({ model, tenant }),
    retries: 0,
  })
  if (fn.kind !== 'action') return await callFunction(client, fn, request)
  return await submitJob(client, fn, request)
}
