import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import { getDeployment, listDeployments } from '../../runtime/control/deployments.ts'
import type { FunctionTypes } from '../../runtime/define/definition.ts'
import { makeProject, startServer, type TestProject, type TestServer } from '../support/server.ts'

type Doubling = FunctionTypes<undefined, undefined, { count: number }, { doubled: number; by: string }>

const doubling = `
import { Type } from '@sinclair/typebox'
import { defineFunction } from 'isoplex'
export default defineFunction({
  access: 'public',
  input: Type.Object({ count: Type.Number() }),
  setup: ({ options }) => options.by ?? 'nobody',
  handler: ({ input, state }) => ({ doubled: 2 * input.count, by: state }),
})
`

let project: TestProject
let server: TestServer
beforeAll(async () => {
  const deployments = [{ name: 'named', function: 'double', options: { by: 'name' } }]
  project = await makeProject(
    {
      'functions/double.ts': doubling,
      'redeploy.ts': `
import { getDeployment, listDeployments } from 'isoplex/control'
const names = (await listDeployments()).map(({ name }) => name)
const deployment = await getDeployment('named')
const before = await deployment.handle().infer({ count: 1 })
const { settings } = await deployment.redeploy({ options: { by: 'another process' } })
const after = await deployment.handle().infer({ count: 2 })
console.log(JSON.stringify({ names, before, settings, after }))
`,
    },
    { replicas: 1, deployments },
  )
  server = await startServer(project, 'serve')
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await project[Symbol.asyncDispose]()
})

const here = () => ({ stateDirectory: `${project.directory}/.isoplex` })

describe('isoplex/control', () => {
  it('lists, calls and changes deployments from another process', async () => {
    const child = Bun.spawn([process.execPath, 'redeploy.ts'], { cwd: project.directory, stdout: 'pipe' })
    expect(JSON.parse(await new Response(child.stdout).text())).toEqual({
      names: ['double', 'named'],
      before: { doubled: 2, by: 'name' },
      settings: { options: { by: 'another process' } },
      after: { doubled: 4, by: 'another process' },
    })
    expect(await child.exited).toBe(0)
  })

  it('is of the same use over HTTP, with an access that may administer', async () => {
    const accessToken = (await project.run('access', 'add', '--right', 'admin')).stdout.trim()
    const options = { url: server.url, accessToken }
    expect((await listDeployments(options)).map(({ name }) => name)).toEqual(['double', 'named'])
    const double = await getDeployment('double', options)
    expect(await double.handle<Doubling>().infer({ count: 4 })).toEqual({ doubled: 8, by: 'nobody' })
    await expect(listDeployments({ url: server.url })).rejects.toMatchObject({ code: 'ACCESS_REQUIRED' })
    await expect(listDeployments({ url: 'nowhere' })).rejects.toThrow(TypeError)
  })

  it('names what there is where there is no such deployment or server', async () => {
    await expect(getDeployment('nam', here())).rejects.toThrow(
      /no deployment "nam"; there are: double, named/,
    )
    const elsewhere = listDeployments({ stateDirectory: project.directory })
    await expect(elsewhere).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

describe('a handle', () => {
  it('answers one, many in their order, and a whole request', async () => {
    const handle = (await getDeployment('double', here())).handle<Doubling>()
    expectTypeOf(handle.infer).returns.resolves.toEqualTypeOf<{ doubled: number; by: string }>()
    const doubled: number[] = []
    const counts = Array.from({ length: 50 }, (_, count) => ({ count }))
    for await (const answer of handle.inferAll(counts)) doubled.push(answer.doubled)
    expect(doubled).toEqual(counts.map(({ count }) => 2 * count))
    expect(await handle.call({ input: { count: 3 } })).toMatchObject({ doubled: 6 })
  })

  it('takes no more inputs than it needs, and ends with its reader', async () => {
    const handle = (await getDeployment('double', here())).handle<Doubling>()
    let taken = 0
    function* endless(): Generator<{ count: number }> {
      for (;;) yield { count: taken++ }
    }
    for await (const { doubled } of handle.inferAll(endless())) if (doubled >= 10) break
    expect(taken).toBeLessThan(40)
  })

  it('throws what the server refuses, for its input alone', async () => {
    const handle = (await getDeployment('double', here())).handle()
    await expect(handle.infer({ count: 'many' })).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    const answers = handle.inferAll([{ count: 1 }, {}, { count: 2 }])
    const iterator = answers[Symbol.asyncIterator]()
    expect(await iterator.next()).toMatchObject({ value: { doubled: 2 } })
    await expect(iterator.next()).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    await expect(handle.infer({ count: 1 }, { signal: AbortSignal.abort() })).rejects.toThrow()
  })
})
