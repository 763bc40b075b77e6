import { join, resolve } from 'node:path'
import { loadProjectKeys } from '../auth/key-ring.ts'
import { loadSharedKeys } from '../auth/shared-key.ts'
import { makeStateDirectory } from '../config/state-directory.ts'
import { toDashboardAddress } from '../deploy/dashboard-address.ts'
import type { ClusterJobOrder } from '../deploy/job-cluster.ts'
import { type JobOrder, sealJobOrder } from '../deploy/job-order.ts'
import { openRayJobs } from '../entry/ray-serve.ts'
import { buildForDeployment } from '../entry/self-contained-build.ts'
import { IsoplexError } from '../error/error.ts'
import { plainFormOf } from '../runner/plain-form.ts'
import { createJobDisplay } from './job-display.ts'
import type { Project } from './project.ts'
import { createRayJobHandle } from './ray-job-handle.ts'
import { readManifest } from './run-elsewhere.ts'
import { followRun } from './run-follow.ts'
import { findFunction, type RunRequest } from './run-request.ts'
import { writeBuild } from './written-build.ts'

/** What is said of the cluster that an action is to run on. */
export interface RayFlags {
  /** `null` leaves it to the configuration. */
  readonly address: string | null
  /** The self-contained build as the cluster's machines find it: a folder, or the URI of an archive; `null` makes one. */
  readonly bundle: string | null
  /** What the machine must have free for the job. */
  readonly resources: ClusterJobOrder['resources']
}

/** The name of the variable with the sealed order. */
export const orderVariable = 'ISOPLEX_JOB_ORDER'

/** Variables that say for whom a job is run, beside those that the configuration lets functions see. */
const ownVariables = [
  'SYNAPSE_ACCESS_TOKEN',
  'SYNAPSE_TENANT',
  'SYNAPSE_HOST',
  'SYNAPSE_PLUGIN_RUN_HOST',
  'SYNAPSE_JOB_ID',
  'SYNAPSE_PLUGIN_RELEASE_CODE',
  'SYNAPSE_PLUGIN_RELEASE_CHECKSUM',
] as const
/** Beyond cancelling and rolling back a job has so long to tell of its end. */
const farewellMs = 15_000

/**
 * Runs an action as a job of a Ray cluster, and follows it to its end. Gives the exit code.
 *
 * Whoever may look at the cluster can read a job's command, variables, metadata and log. So the parameters, the access
 * token and all that the configuration lets the action see go along sealed, and result and files come back sealed.
 *
 * @throws {IsoplexError} `CONFIG_INVALID`, `ROUTE_NOT_FOUND`, `BUILD_FAILED`, `BODY_TOO_LARGE`, `CLUSTER_UNREACHABLE`,
 * `CLUSTER_UNFIT` where the cluster refuses the job, and whatever the job fails with before it begins.
 */
export async function runOnRay(request: RunRequest & RayFlags): Promise<number> {
  const { project, signal } = request
  const fn = findFunction(await readManifest(request), request.name)
  if (fn.kind !== 'action') {
    const message = `"${request.name}" is no action; only actions run as jobs of a cluster. Deploy it, and call it with --mode remote.`
    throw new IsoplexError('CONFIG_INVALID', message)
  }
  const display = createJobDisplay(request)
  try {
    const { keys, path } = await openKeys(project)
    const cluster = openRayJobs(toDashboardAddress(request.address ?? project.config.rayAddress))
    const order = orderOf(request)
    const environment = { [orderVariable]: sealJobOrder(keys, order), ...stopVariables(project) }
    const bundle = request.bundle ?? (await makeBundle(request))
    const id = await cluster.submit(
      {
        ...placeOf(bundle, path),
        environment,
        metadata: { isoplex: fn.name },
        resources: request.resources,
      },
      signal,
    )
    const handle = createRayJobHandle({ id, function: fn.name, cluster, keys, nonce: order.nonce })
    return await followRun(handle, fn, { ...request, display })
  } finally {
    display.stop()
  }
}

async function openKeys({ projectDirectory, stateDirectory, config }: Project): Promise<{
  readonly keys: Awaited<ReturnType<typeof loadSharedKeys>>
  /** Where the cluster's machines find them. */
  readonly path: string
}> {
  const { clusterKeyFile } = config
  if (clusterKeyFile !== null) {
    const path = resolve(projectDirectory, clusterKeyFile)
    return { keys: await loadSharedKeys(path), path }
  }
  await makeStateDirectory(stateDirectory)
  return { keys: await loadProjectKeys(stateDirectory), path: join(stateDirectory, 'key') }
}

function orderOf({ name, params, tenant, project }: RunRequest): JobOrder {
  const named = new Set([...ownVariables, ...project.config.environment])
  const environment: Record<string, string> = {}
  for (const variable of named) {
    const value = process.env[variable]
    if (value !== undefined) environment[variable] = value
  }
  return {
    nonce: crypto.randomUUID(),
    action: name,
    params: params === undefined ? null : JSON.stringify(params, (_, member: unknown) => plainFormOf(member)),
    tenant,
    environment,
  }
}

/** Ray would end a job three seconds after it has asked it to end: a rollback may take longer. */
function stopVariables({ config }: Project): Readonly<Record<string, string>> {
  const ms = config.jobCancelGraceMs + config.jobRollbackTimeoutMs + farewellMs
  return { RAY_JOB_STOP_WAIT_TIME_S: String(Math.ceil(ms / 1000)) }
}

async function makeBundle({ project, json }: RunRequest): Promise<string> {
  const visible = !json && process.stderr.isTTY
  const { directory } = await buildForDeployment(project, (outputDirectory) =>
    writeBuild(project, { outputDirectory, compress: true, visible }),
  )
  return directory
}

function placeOf(bundle: string, keyPath: string): Pick<ClusterJobOrder, 'entrypoint' | 'workingDirectory'> {
  const command = `b=node_modules/bun/bin/bun.exe; [ -x "$b" ] || b=bun; exec "$b" node_modules/isoplex/runtime/cli/main.ts ray-job --key-file ${quoted(keyPath)}`
  const isRemote = /^[a-z][a-z0-9+.-]*:\/\//i.test(bundle)
  return isRemote
    ? { entrypoint: command, workingDirectory: bundle }
    : { entrypoint: `cd ${quoted(resolve(bundle))} && ${command}`, workingDirectory: null }
}

/** A text as one word of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
