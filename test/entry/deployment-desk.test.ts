import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCredentials } from '../../runtime/auth/credentials.ts'
import { resolveConfig } from '../../runtime/config/loader.ts'
import type { ServeApplication } from '../../runtime/define/deployment-facts.ts'
import { type DeploymentDeskPlace, openDeploymentDesk } from '../../runtime/entry/deployment-desk.ts'
import type { DeploymentDesk } from '../../runtime/job/crew/deployment-desk.ts'
import { type RecordingBackend, startRecordingBackend } from '../job/synapse-backend.ts'
import { makeProject, type TestProject } from '../support/server.ts'

const functionFile = `import { defineFunction } from 'isoplex'
export default defineFunction({ method: 'POST', handler: () => 'here' })`
const application: ServeApplication = {
  name: 'ocr@1.0.0',
  status: 'RUNNING',
  params: {},
  replicas: 1,
  pluginRelease: null,
  data: {},
}

let project: TestProject
let backend: RecordingBackend
let environment: Record<string, string>
beforeEach(async () => {
  project = await makeProject({ 'functions/here.ts': functionFile })
  backend = startRecordingBackend()
  environment = { PATH: process.env.PATH ?? '' }
})
afterEach(async () => {
  backend[Symbol.dispose]()
  await project[Symbol.asyncDispose]()
})

const open = (
  flags: Readonly<Record<string, unknown>> = {},
  place: Partial<DeploymentDeskPlace> = {},
): DeploymentDesk =>
  openDeploymentDesk(
    {
      config: resolveConfig({ flags }),
      projectDirectory: project.directory,
      functionsDirectory: join(project.directory, 'functions'),
      stateDirectory: join(project.directory, '.isoplex'),
    },
    { visible: environment, own: {}, ...place },
  )

describe('a desk for deployments', () => {
  it('tells what names a plugin, and nothing where nothing does', async () => {
    expect(await open().describe()).toMatchObject({ serveAppName: null, routePrefix: null, runtimeEnv: {} })
    await project.write('config.yaml', 'code: ocr\nversion: "1.0.0"\npackage_manager: uv\n')
    await project.write('requirements.txt', 'numpy\n')
    const flags = { rayAddress: 'ray://head:1', backendUrl: 'https://api.example' }
    expect(await open(flags).describe()).toEqual({
      serveAppName: 'ocr@1.0.0',
      routePrefix: `/${new Bun.CryptoHasher('md5').update('ocr@1.0.0').digest('hex')}`,
      routeIsOfVersion: true,
      runtimeEnv: { uv: { packages: ['numpy'], uv_pip_install_options: ['--no-cache'] } },
      rayAddress: 'ray://head:1',
      environment: {
        ISOPLEX_STATE_DIRECTORY: join(project.directory, '.isoplex'),
        ISOPLEX_BACKEND: 'embedded',
        ISOPLEX_BACKEND_URL: 'https://api.example',
        ISOPLEX_BACKEND_HEADERS: 'auto',
      },
    })
    expect(await open({ routePrefix: '/ocr' }).describe()).toMatchObject({
      routePrefix: '/ocr',
      routeIsOfVersion: false,
    })
  })

  it('builds what stands alone, once for equal content', async () => {
    const { bundle, version } = await open().prepareBundle()
    expect(await readFile(join(bundle, 'manifest.json'), 'utf8')).toContain('here')
    expect(await open().prepareBundle()).toEqual({ bundle, version })
  }, 60_000)

  it("registers by the submitter's own right", async () => {
    backend.answerAll(() => Response.json({ id: 3 }, { status: 201 }))
    const desk = open({ backendUrl: backend.url })
    const credentials = createCredentials({
      modelId: 'm',
      tenant: 'acme',
      accessToken: 'theirs',
      issuer: 'synapse',
      proven: false,
      expiresAtMs: Number.POSITIVE_INFINITY,
    })
    expect(await desk.register(application, { jobId: 'job_1', action: 'deploy', credentials })).toBe(3)
    const [{ headers, json }] = backend.received as [(typeof backend.received)[number]]
    expect([headers.get('authorization'), headers.get('synapse-tenant'), json.job]).toEqual([
      'Token theirs',
      'Token acme',
      'job_1',
    ])
  })

  it('registers nothing without a right, or without a backend', async () => {
    const registrar = { jobId: 'job_1', action: 'deploy', credentials: null }
    expect(await open({ backendUrl: backend.url }).register(application, registrar)).toBeNull()
    const own = { SYNAPSE_ACCESS_TOKEN: 'ours', SYNAPSE_JOB_ID: '77' }
    expect(await open({}, { own }).register(application, registrar)).toBeNull()
    expect(backend.received).toEqual([])
    backend.answerAll(() => Response.json({ id: 4 }, { status: 201 }))
    expect(await open({ backendUrl: backend.url }, { own }).register(application, registrar)).toBe(4)
    expect(backend.received).toMatchObject([{ json: { job: 77 } }])
  })
})
