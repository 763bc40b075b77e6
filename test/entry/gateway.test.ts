import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Manifest } from '../../runtime/build/manifest.ts'
import { Gateway } from '../../runtime/entry/gateway.ts'
import { saying } from '../support/function-files.ts'
import { call, makeProject, type TestProject, until } from '../support/server.ts'
import { gatewayOptions } from './gateway-options.ts'

describe('Gateway', () => {
  let project: TestProject

  beforeEach(async () => {
    project = await makeProject({ 'functions/hello.ts': saying('hello') })
  })
  afterEach(() => project[Symbol.asyncDispose]())

  it('serves the functions of a project, and takes everything down again', async () => {
    const manifests: Manifest[] = []
    const gateway = await Gateway.start({
      ...gatewayOptions(project, 'serve'),
      onManifest: (manifest) => manifests.push(manifest),
    })
    expect(gateway.identity).toEqual({ appName: 'test-app@1.2.3', routePrefix: '' })
    expect(manifests).toEqual([gateway.manifest])
    expect(gateway.trusting).toBe(false)
    const url = new URL('/hello', gateway.url).href
    expect((await call(url)).json).toEqual({ text: 'hello' })
    await gateway.stop()
    await expect(fetch(url)).rejects.toThrow()
    expect(await readdir(join(project.directory, '.isoplex/builds'))).toEqual([])
  })

  it('follows the files in dev, and writes the types before it tells', async () => {
    const manifests: Manifest[] = []
    const types: Promise<string>[] = []
    const gateway = await Gateway.start({
      ...gatewayOptions(project, 'dev'),
      onManifest(manifest) {
        manifests.push(manifest)
        types.push(readFile(join(project.directory, '.isoplex/routes.d.ts'), 'utf8'))
      },
    })
    await project.write('functions/more.ts', saying('more'))
    await until(() => manifests.length === 2)
    expect((await call(new URL('/more', gateway.url).href)).json).toEqual({ text: 'more' })
    expect(await types[0]).not.toContain('more.ts')
    expect(await types[1]).toContain('more.ts')
    await gateway.stop()
  })

  it('follows from the start what functions import from elsewhere in the project', async () => {
    await project.write('src/word.ts', `export const word = 'first'\n`)
    await project.write(
      'functions/hello.ts',
      `import { word } from '../src/word.ts'\n${saying('hello').replace('"hello"', 'word')}`,
    )
    let live = 0
    const gateway = await Gateway.start({
      ...gatewayOptions(project, 'dev'),
      onManifest() {
        live += 1
      },
    })
    await project.write('src/word.ts', `export const word = 'second'\n`)
    await until(() => live === 2)
    expect((await call(new URL('/hello', gateway.url).href)).json).toEqual({ text: 'second' })
    await gateway.stop()
  })

  it('serves although the types cannot be written', async () => {
    await project.write('.isoplex/routes.d.ts/in-the-way', '')
    const gateway = await Gateway.start(gatewayOptions(project, 'dev'))
    expect((await call(new URL('/hello', gateway.url).href)).status).toBe(200)
    await gateway.stop()
  })

  it('starts in dev with mistakes and without functions, and refuses to in serve', async () => {
    await project.write('functions/hello.ts', 'export default nothing\n')
    const gateway = await Gateway.start(gatewayOptions(project, 'dev'))
    expect(gateway.manifest).toMatchObject({ functions: [], broken: [{ file: 'functions/hello.ts' }] })
    await gateway.stop()
    await expect(Gateway.start(gatewayOptions(project, 'serve'))).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringMatching(/\nfunctions\/hello\.ts:1:\d+: .*nothing/),
      details: { file: 'functions/hello.ts', line: 1 },
    })
  })
})
