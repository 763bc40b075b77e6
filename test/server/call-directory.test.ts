import { describe, expect, it } from 'vitest'
import { createCredentials } from '../../runtime/auth/credentials.ts'
import type { FunctionManifest } from '../../runtime/build/manifest.ts'
import type { CallHead } from '../../runtime/replica/call-head.ts'
import type { CallTarget } from '../../runtime/replica/call-target.ts'
import { CallDirectory } from '../../runtime/server/call-directory.ts'
import type { ServedFunction } from '../../runtime/server/exchange.ts'
import { createModelAccess } from '../../runtime/server/model-access.ts'
import { sampleFunction } from '../build/manifest-samples.ts'
import { deploymentOf, unknownCaller } from '../replica/work.ts'
import { sourceOfEverything } from './served.ts'

const credentials = createCredentials({
  modelId: 'bird',
  tenant: 'forest',
  accessToken: null,
  issuer: 'project',
  proven: true,
  expiresAtMs: Number.POSITIVE_INFINITY,
})
const bearer = { ...unknownCaller, credentials }

const served = (name: string, facts: Partial<FunctionManifest> = {}, id = `${name}@1`): ServedFunction => ({
  manifest: sampleFunction(name, facts),
  deployment: deploymentOf({ id, name, functionName: name }),
})

function directoryOf(functions: readonly ServedFunction[], trustsLoopback = false): CallDirectory {
  const models = createModelAccess(sourceOfEverything())
  const directory = new CallDirectory({ authorizer: { models, trustsLoopback }, routePrefix: '/app' })
  directory.follow(functions)
  return directory
}

function find(
  directory: CallDirectory,
  head: Partial<CallHead>,
  { caller = unknownCaller, from = 'caller@1' } = {},
): Promise<CallTarget> {
  const call: CallHead = {
    parent: 1,
    through: [],
    function: 'leaf',
    model: null,
    deployment: null,
    timeoutMs: null,
    params: {},
    query: '',
    contentType: null,
    ...head,
  }
  return directory.find({ from: deploymentOf({ id: from }), caller, head: call })
}

const inference = { kind: 'inference', access: 'public', model: { default: 'fish' } } as const

describe('the model of a call', () => {
  it('is the one that is asked for, else that of the token, else the default', async () => {
    const directory = directoryOf([served('leaf', inference)])
    const found = [
      find(directory, { model: 'wolf' }, { caller: bearer }),
      find(directory, {}, { caller: bearer }),
      find(directory, {}),
      find(directory, { model: 'wolf' }),
    ].map(async (target) => (await target).model?.info.id)
    expect(await Promise.all(found)).toEqual(['wolf', 'bird', 'fish', 'wolf'])
  })

  it('is nobody’s without a token, where the function needs one', async () => {
    const closed = [served('leaf', { ...inference, access: 'token' })]
    await expect(find(directoryOf(closed), {})).rejects.toMatchObject({ code: 'TOKEN_MISSING' })
    expect((await find(directoryOf(closed, true), {})).model?.info.id).toBe('fish')
    const { model } = await find(directoryOf(closed), {}, { caller: bearer })
    expect(model?.info).toMatchObject({ id: 'bird', tenant: 'forest' })
  })
})

describe('the function of a call', () => {
  it('sees the address under which a client would ask for it', async () => {
    const directory = directoryOf([
      served('leaf', {
        route: '/leaf/[name]/[...rest]',
        file: 'leaf.ts',
        access: 'public',
        methods: ['GET', 'PUT'],
      }),
    ])
    const params = { name: 'a b/c', rest: 'd/e f' }
    expect(await find(directory, { params, query: 'x=1&y=2' })).toMatchObject({
      method: 'GET',
      url: '/app/leaf/a%20b%2Fc/d/e%20f?x=1&y=2',
    })
    expect((await find(directory, { params: {}, contentType: 'application/json' })).method).toBe('PUT')
  })

  it('must be there, and be no action', async () => {
    const directory = directoryOf([served('job', { kind: 'action' })])
    for (const name of ['job', 'leaf', '__proto__'])
      await expect(find(directory, { function: name })).rejects.toMatchObject({
        code: 'FUNCTION_NOT_FOUND',
        details: { function: name },
      })
  })

  it('is answered by its own deployment, or by the one that is named', async () => {
    const own = served('leaf', { access: 'public' })
    const large = { ...own, deployment: deploymentOf({ id: 'large@1', name: 'large', functionName: 'leaf' }) }
    const directory = directoryOf([own, large])
    expect((await find(directory, {})).deployment).toBe(own.deployment)
    expect((await find(directory, { deployment: 'large' })).deployment).toBe(large.deployment)
    await expect(find(directory, { deployment: 'small' })).rejects.toMatchObject({
      code: 'DEPLOYMENT_NOT_FOUND',
      details: { deployment: 'small' },
    })
  })

  it('is of the build that the caller is of, as far as that is remembered', async () => {
    const facts = { access: 'public' } as const
    const directory = directoryOf([served('caller', facts), served('leaf', facts)])
    directory.follow([served('caller', facts, 'caller@2'), served('leaf', facts, 'leaf@2')])
    const idOf = async (from: string): Promise<string> => (await find(directory, {}, { from })).deployment.id
    expect([await idOf('caller@1'), await idOf('caller@2'), await idOf('stranger@9')]).toEqual([
      'leaf@1',
      'leaf@2',
      'leaf@2',
    ])
    for (let count = 0; count < 8; count += 1) directory.follow([served('leaf', facts, 'leaf@3')])
    expect(await idOf('caller@1')).toBe('leaf@3')
  })
})
