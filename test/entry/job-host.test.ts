import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createProjectKey } from '../../runtime/auth/project-key.ts'
import { createCredentialSeals } from '../../runtime/auth/sealed-credential.ts'
import type { Manifest } from '../../runtime/build/manifest.ts'
import { resolveConfig } from '../../runtime/config/loader.ts'
import { type JobHost, openJobHost } from '../../runtime/entry/job-host.ts'
import type { JobRequest } from '../../runtime/job/service.ts'
import { createLogger } from '../../runtime/observe/log.ts'
import { createProject, type TestProject } from '../build/project.ts'
import { noDeployments } from '../job/no-deployments.ts'
import { newJob } from '../job/store/test-store.ts'

const counting = `
import { Type } from '@sinclair/typebox'
import { defineAction } from 'isoplex'
export default defineAction({
  params: Type.Object({ count: Type.Integer() }),
  execute: ({ params }) => params.count + 1,
})
`
const never = new AbortController().signal

let project: TestProject
let manifest: Manifest
let bundlesDirectory: string
let stateDirectory: string
let hosts: JobHost[]
beforeEach(async () => {
  project = await createProject({ 'functions/count.ts': counting })
  const builder = project.builder()
  manifest = await builder.build()
  bundlesDirectory = builder.bundlesDirectory
  stateDirectory = join(project.directory, 'state')
  hosts = []
})
afterEach(async () => {
  for (const host of hosts) await host[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

const open = async (): Promise<JobHost> => {
  const absent = (): Promise<never> => Promise.reject(new Error('there are no models here'))
  const host = openJobHost({
    config: resolveConfig({ flags: { logLevel: 'error' } }),
    stateDirectory,
    deployments: noDeployments,
    seals: createCredentialSeals([await createProjectKey(new Uint8Array(32).fill(1))]),
    environment: { PATH: process.env.PATH ?? '' },
    strict: true,
    access: { grant: absent, grantDefault: absent, describe: absent },
    trusting: true,
    log: createLogger({ write: () => undefined }),
  })
  hosts.push(host)
  return host
}
const request = (): JobRequest => {
  const [fn] = manifest.functions
  if (!fn) throw new Error('the action was not built')
  const { head, body } = newJob({ function: 'count' })
  const base = { manifest: fn, principal: 'anonymous', credentials: null, models: [], idempotencyKey: null }
  return { ...base, head, body }
}
const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

describe('the jobs of a server', () => {
  it('have no store where there is no action', async () => {
    const host = await open()
    host.follow({ functions: [] }, bundlesDirectory)
    await host[Symbol.asyncDispose]()
    expect(await isThere(join(stateDirectory, 'jobs'))).toBe(false)
  })

  it('are run from the first manifest with an action on', async () => {
    const host = await open()
    host.follow(manifest, bundlesDirectory)
    const { job } = await host.service.submit(request())
    const ended = await host.service.wait(job.id, null, { timeoutMs: 1e6, signal: never })
    expect(ended).toMatchObject({ state: 'succeeded', function: 'count' })
    const { bytes } = await host.service.read(job.id, null, { kind: 'result' }, { offset: 0, maxBytes: 100 })
    expect(new TextDecoder().decode(bytes)).toBe('2')
    const batches = await Array.fromAsync(host.service.watch(job.id, null, 0, never))
    expect(batches.flat().at(-1)).toMatchObject({ kind: 'state', data: { state: 'succeeded' } })
    expect(host.digests()).toEqual([])
  })

  it('wait for the next start where the server stops, and are taken in until it ends', async () => {
    const first = await open()
    first.follow(manifest, bundlesDirectory)
    await first.stop()
    const { job } = await first.service.submit(request())
    expect(await first.service.get(job.id, null)).toMatchObject({ state: 'queued' })
    expect(await Array.fromAsync(first.service.watch(job.id, null, 0, never))).toEqual([])
    await first[Symbol.asyncDispose]()
    await expect(first.service.get(job.id, null)).rejects.toMatchObject({ code: 'DRAINING' })
    const second = await open()
    second.follow(manifest, bundlesDirectory)
    expect(await second.service.wait(job.id, null, { timeoutMs: 1e6, signal: never })).toMatchObject({
      state: 'succeeded',
      attempt: 1,
    })
  })

  it('are one server’s alone', async () => {
    const first = await open()
    first.follow(manifest, bundlesDirectory)
    await first.service.submit(request())
    const second = await open()
    await expect(second.service.submit(request())).rejects.toMatchObject({
      code: 'JOB_STORE_UNAVAILABLE',
      details: { reason: 'taken' },
    })
  })
})
