import type { FunctionManifest } from '../build/manifest.ts'
import type { AnyRoutes, Client, Handle } from '../client/handles.ts'
import { parseRoute } from '../route/pattern.ts'
import { isAsyncIterable } from '../runner/encoder.ts'
import { createJobDisplay } from './job-display.ts'
import { followRun } from './run-follow.ts'
import { writeResult, writeResults } from './run-output.ts'
import { isRecord } from './run-params.ts'
import type { RunRequest } from './run-request.ts'

type AnyClient = Client<AnyRoutes>

/** The handle of any name: what a server has not, it says when it is asked. */
function handleOf(client: AnyClient, name: string): Handle<string, AnyRoutes[string]> {
  const handle = client[name]
  if (!handle) throw new TypeError(`The client makes no handle of "${name}".`)
  return handle
}

/** Calls a function that answers at once, and writes what it answers. Gives the exit code. */
export async function callFunction(
  client: AnyClient,
  fn: FunctionManifest,
  { params, json, timeoutMs, signal }: RunRequest,
): Promise<number> {
  const handle = handleOf(client, fn.name)
  const options = { signal, timeoutMs: timeoutMs ?? undefined }
  const { output } =
    fn.kind === 'inference'
      ? await handle.infer(params, options)
      : await handle.call({ ...options, ...partsOf(fn, params) })
  if (isAsyncIterable(output)) await writeResults(output)
  else await writeResult(output, { json })
  return 0
}

/**
 * What an edge function gets of the parameters: those that its path names are in the path; the others are its input, or
 * the query where it reads no input.
 */
function partsOf(fn: FunctionManifest, given: unknown): object {
  const names = parseRoute(fn.route, fn.file).parameters
  const readsInput = fn.accepts.length > 0
  if (!isRecord(given) || (names.length === 0 && readsInput)) return { input: given }
  const entries = Object.entries(given)
  const params = Object.fromEntries(entries.filter(([name]) => names.includes(name)))
  const others = Object.fromEntries(entries.filter(([name]) => !names.includes(name)))
  return readsInput ? { params, input: others } : { params, query: others }
}

/** Submits a job, and follows it to its end. Gives the exit code. */
export async function submitJob(
  client: AnyClient,
  fn: FunctionManifest,
  request: RunRequest,
): Promise<number> {
  const display = createJobDisplay(request)
  try {
    const params = request.params ?? (fn.accepts.length > 0 ? {} : undefined)
    // A submission that is broken off may have made a job all the same: it is awaited, and then cancelled.
    const job = await handleOf(client, fn.name).submit(params)
    return await followRun(job, fn, { ...request, display })
  } finally {
    display.stop()
  }
}
