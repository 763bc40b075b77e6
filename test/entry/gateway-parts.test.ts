import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isTrusting, openParts } from '../../runtime/entry/gateway-parts.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, type TestProject } from '../support/server.ts'
import { gatewayOptions } from './gateway-options.ts'

let project: TestProject

beforeEach(async () => {
  project = await makeProject()
})
afterEach(() => project[Symbol.asyncDispose]())

describe('isTrusting', () => {
  it.each([
    ['dev', '127.0.0.1', true],
    ['dev', '127.8.9.10', true],
    ['dev', 'localhost', true],
    ['dev', '::1', true],
    ['dev', '0.0.0.0', false],
    ['dev', '::', false],
    ['dev', '192.168.0.7', false],
    ['dev', '127.0.0.1.example.com', false],
    ['serve', '127.0.0.1', false],
    ['serve', '0.0.0.0', false],
  ] as const)('%s on %s: %s', (mode, host, trusting) => {
    expect(isTrusting(gatewayOptions(project, mode, { host }))).toBe(trusting)
  })
})

/** Nothing is redeployed here. */
const unchanged = (): void => undefined

describe('openParts', () => {
  it('refuses a port that is taken, and leaves nothing open', async () => {
    const taken = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() })
    const resources = new AsyncDisposableStack()
    const options = gatewayOptions(project, 'serve', { port: taken.port })
    await expect(openParts(options, resources, unchanged)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`Port ${taken.port} on 127.0.0.1 is taken`),
    })
    await resources.disposeAsync()
    await taken.stop(true)
  })

  it('frees the port when it is closed', async () => {
    const resources = new AsyncDisposableStack()
    const { server } = await openParts(gatewayOptions(project, 'dev'), resources, unchanged)
    const port = Number(server.url.port)
    await resources.disposeAsync()
    const next = Bun.serve({ hostname: '127.0.0.1', port, reusePort: false, fetch: () => new Response() })
    expect(next.port).toBe(port)
    await next.stop(true)
  })

  it('remembers what it found of models until it is told to forget', async () => {
    await using resources = new AsyncDisposableStack()
    const { registry, exchange, forgetModels } = await openParts(
      gatewayOptions(project, 'dev'),
      resources,
      unchanged,
    )
    const { models } = exchange.authorizer
    const resolve = async (id: string) => (await models.grantDefault(id, null)).model
    const folder = `${project.directory}/functions/_models`
    await expect(resolve('five')).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
    await project.write('functions/_models/five/model.onnx', addConstantModel(5))
    await registry.ask('syncFolder', folder)
    forgetModels()
    expect(await resolve('five')).toMatchObject({ info: { id: 'five', version: '1' } })
    await project.write('functions/_models/five/model.onnx', addConstantModel(6))
    await registry.ask('syncFolder', folder)
    forgetModels()
    expect(await resolve('five')).toMatchObject({ info: { id: 'five', version: '2' } })
  })
})
