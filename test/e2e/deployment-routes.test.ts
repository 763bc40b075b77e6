import { Type } from '@sinclair/typebox'
import { describe, expect, it } from 'vitest'
import type { FunctionManifest } from '../../runtime/build/manifest.ts'
import { defineFunction, defineInference, onnx } from '../../runtime/index.ts'
import { deploymentOf, manifestOf } from '../server/served.ts'
import { type Served, serve } from '../server/served-app.ts'

const access = 'public'
const handler = (): unknown => null
const index = manifestOf('index.ts', defineFunction({ access, handler }))
const post = manifestOf('post.ts', defineFunction({ access, input: Type.Unknown(), handler }))
const everything = manifestOf('[...rest].ts', defineFunction({ access, handler }))
const inference = (file: string): FunctionManifest =>
  manifestOf(
    file,
    defineInference({ access, input: Type.Unknown(), model: onnx({ default: 'a' }), infer: handler }),
  )

describe('a deployment with a prefix of its own', () => {
  /** An app in which some functions have all below their path. */
  const mount = (...functions: readonly FunctionManifest[]): Served =>
    serve(functions, {
      functions: functions.map((manifest) => {
        const { path } = manifest
        const mount = manifest.name.startsWith('/') ? path : null
        return { manifest, deployment: deploymentOf(manifest), mount }
      }),
    })
  const at = (path: string): FunctionManifest => ({ ...index, name: path, route: path, path })

  it.each([
    ['/at', '/at'],
    ['/at/', '/at'],
    ['/at/a/b?c', '/at'],
    ['/at/deep', '/at/deep'],
    ['/at/deep/', '/at/deep'],
    ['/at/deep/er', '/at/deep'],
    ['/at/deeper', '/at'],
    ['/at/file', 'at/file'],
    ['/at/file/x', '/at'],
    ['/atx', '[...rest]'],
  ])('answers %s as %s: the longest prefix wins', async (path, name) => {
    const file = manifestOf('at/file.ts', defineFunction({ access, handler }))
    const app = mount(at('/at'), at('/at/deep'), file, everything)
    expect(await (await app.call(path)).text()).toBe(name)
  })

  it('leaves what is the server’s own alone where the prefix is that of all', async () => {
    const all = { ...index, name: 'all' }
    const app = serve([all, post], {
      functions: [
        { manifest: all, deployment: deploymentOf(all), mount: '/' },
        { manifest: post, deployment: deploymentOf(post) },
      ],
    })
    for (const path of ['/', '/any/thing']) expect(await (await app.call(path)).text()).toBe('all')
    expect(await (await app.call('/healthz')).text()).toBe('ok\n')
    expect((await app.call('/-/nothing')).status).toBe(404)
    expect((await app.call('/post')).status).toBe(405)
  })

  it('does not keep the only inference function from the prefix of all', async () => {
    const infer = inference('a.ts')
    const further = { ...infer, name: 'fast', route: '/fast', path: '/fast' }
    const app = serve([infer, further], {
      functions: [
        { manifest: infer, deployment: deploymentOf(infer) },
        { manifest: further, deployment: { ...deploymentOf(further), functionName: 'a' }, mount: '/fast' },
      ],
    })
    const answer = await app.call('/', {
      method: 'POST',
      body: '1',
      headers: { 'content-type': 'application/json' },
    })
    expect(await answer.text()).toBe('a')
  })
})
