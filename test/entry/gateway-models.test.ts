import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'vitest'
import { makeStateDirectory } from '../../runtime/config/state-directory.ts'
import { openGatewayModels } from '../../runtime/entry/gateway-models.ts'
import { modelSettingsOf } from '../../runtime/entry/model-host.ts'
import type { RegistryMethods } from '../../runtime/entry/registry.ts'
import { createLogger } from '../../runtime/observe/log.ts'
import { ServiceThread } from '../../runtime/thread/service-thread.ts'
import { modelOf } from '../replica/replica-workshop.ts'
import { makeProject, type TestProject, until } from '../support/server.ts'
import { gatewayOptions } from './gateway-options.ts'

let project: TestProject
let stateDirectory: string

beforeEach(async () => {
  project = await makeProject()
  stateDirectory = join(project.directory, '.isoplex')
  await makeStateDirectory(stateDirectory)
})
afterEach(() => project[Symbol.asyncDispose]())

describe('the models of a gateway', () => {
  it('keep the files of what is loaded in the store, and of nothing else', async () => {
    await using resources = new AsyncDisposableStack()
    const registry = new ServiceThread<RegistryMethods>(
      new URL('../../runtime/entry/registry.ts', import.meta.url),
      {
        directory: stateDirectory,
        settings: modelSettingsOf(gatewayOptions(project, 'serve').config),
        serverAccessToken: null,
        logLevel: 'error',
      },
    )
    resources.defer(() => registry.close())
    const links = [{ model: { ...modelOf('a'), digest: 'a'.repeat(64) } }, { model: null }]
    const log = createLogger({ write: () => undefined })
    const options = { stateDirectory, scheduler: { pool: { links } }, log, holdMs: 5 }
    const models = openGatewayModels(options, registry, resources)
    const used = ['b'.repeat(64)]
    models.keep(() => used)
    const leases = join(stateDirectory, 'leases')
    const held = async (): Promise<string> => {
      const names = await readdir(leases).catch(() => [])
      return (await Promise.all(names.map((name) => readFile(join(leases, name), 'utf8')))).join()
    }
    await until(async () => (await held()).includes('a'.repeat(64)))
    await until(async () => (await held()).includes('b'.repeat(64)))
    used.length = 0
    await until(async () => !(await held()).includes('b'.repeat(64)))
    links.length = 0
    await until(async () => !(await held()).includes('a'.repeat(64)))
  })
})
