import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadSigningKey, removeProjectKey, rotateProjectKeys } from '../../runtime/auth/key-ring.ts'
import { createServeMultiplexedModelId } from '../../runtime/auth/synapse-token.ts'
import { createModelToken } from '../../runtime/auth/token.ts'
import { makeStateDirectory } from '../../runtime/config/state-directory.ts'
import { openGatewayTokens } from '../../runtime/entry/gateway-tokens.ts'
import { HostileServer } from '../support/hostile-server.ts'
import { makeProject, type TestProject, until } from '../support/server.ts'
import { gatewayOptions } from './gateway-options.ts'

const digest = 'a'.repeat(64)
let project: TestProject
let stateDirectory: string

beforeEach(async () => {
  project = await makeProject()
  stateDirectory = join(project.directory, '.isoplex')
  await makeStateDirectory(stateDirectory)
})
afterEach(() => project[Symbol.asyncDispose]())

const open = (resources: AsyncDisposableStack, flags: Readonly<Record<string, unknown>> = {}) =>
  openGatewayTokens(gatewayOptions(project, 'serve', flags), resources)
const tokenNow = async (): Promise<string> =>
  createModelToken(await loadSigningKey(stateDirectory, 600), { model: 'digits', expiresInSeconds: 600 })

describe('the tokens of a gateway', () => {
  it('of the project count, and go on to count after a rotation', async () => {
    await using resources = new AsyncDisposableStack()
    const { verifier } = await open(resources)
    const before = await tokenNow()
    expect(await verifier.verify(before)).toMatchObject({ issuer: 'project', proven: true })
    rotateProjectKeys(stateDirectory, { tokenLifeSeconds: 600 })
    const after = await tokenNow()
    await until(async () => (await Promise.allSettled([verifier.verify(after)]))[0]?.status === 'fulfilled')
    expect(await verifier.verify(before)).toMatchObject({ issuer: 'project' })
  })

  it('end with their key, without a new start', async () => {
    await using resources = new AsyncDisposableStack()
    const { verifier, grants } = await open(resources)
    const token = await tokenNow()
    const grant = grants.make(digest, Date.now() + 60_000)
    const [, retired] = rotateProjectKeys(stateDirectory, { tokenLifeSeconds: 600 })
    expect(await verifier.verify(token)).toMatchObject({ modelId: 'digits' })
    removeProjectKey(stateDirectory, String(retired?.id))
    await until(async () => (await Promise.allSettled([verifier.verify(token)]))[0]?.status === 'rejected')
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
    expect(grants.check(digest, grant, Date.now())).toBe(false)
  })

  it('are kept with jobs beyond a rotation, and not beyond the end of their key', async () => {
    await using resources = new AsyncDisposableStack()
    const { verifier, seals } = await open(resources)
    const credentials = await verifier.verify(await tokenNow())
    const sealed = seals.seal(credentials, 'a job')
    const [, retired] = rotateProjectKeys(stateDirectory, { tokenLifeSeconds: 600 })
    // What it seals with is the new key as soon as the rotation has been noticed.
    const first = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(0, 17)).toString('latin1')
    await until(() => first(seals.seal(credentials, 'a job')) !== first(sealed))
    expect(seals.open(sealed, 'a job')).toEqual(credentials)
    removeProjectKey(stateDirectory, String(retired?.id))
    await until(() => {
      try {
        return seals.open(sealed, 'a job') === null
      } catch {
        return true
      }
    })
    expect(() => seals.open(sealed, 'a job')).toThrow('can no longer be read')
  })

  it('count on where the file of the keys is broken while it runs', async () => {
    await using resources = new AsyncDisposableStack()
    const lines: string[] = []
    const options = gatewayOptions(project, 'serve')
    const log = { ...options.log, error: (message: string) => void lines.push(message) }
    const { verifier } = await openGatewayTokens({ ...options, log }, resources)
    const token = await tokenNow()
    await writeFile(join(stateDirectory, 'key'), 'nonsense')
    await until(() => lines.length > 0)
    expect(await verifier.verify(token)).toMatchObject({ modelId: 'digits' })
    await rm(join(stateDirectory, 'key'))
  })

  it('of the Synapse form count where a backend is named, and prove nothing', async () => {
    await using resources = new AsyncDisposableStack()
    const backendUrl = 'https://api.example.com'
    const token = await createServeMultiplexedModelId({ modelId: 34, token: 'access', backendUrl })
    const { verifier } = await open(resources, { backendUrl })
    expect(await verifier.verify(token)).toMatchObject({
      issuer: 'synapse',
      proven: false,
      modelId: '34',
      accessToken: 'access',
    })
    const without = await open(resources)
    await expect(without.verifier.verify(token)).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
  })

  it('of an issuer that publishes its keys count, from the server that was named alone', async () => {
    await using resources = new AsyncDisposableStack()
    await using publisher = await HostileServer.start()
    await using elsewhere = await HostileServer.start()
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const keys = [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }]
    publisher.reply('/jwks', { kind: 'json', value: { keys } })
    publisher.reply('/moved', {
      kind: 'reply',
      status: 302,
      headers: { location: `${elsewhere.url}/jwks` },
    })
    elsewhere.reply('/jwks', { kind: 'json', value: { keys } })
    const token = await new SignJWT({ model: 'digits' })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setExpirationTime('10m')
      .sign(privateKey)
    const issuer = (path: string) => [{ name: 'others', jwksUrl: `${publisher.url}${path}` }]
    const { verifier } = await open(resources, { tokenIssuers: issuer('/jwks') })
    expect(await verifier.verify(token)).toMatchObject({ issuer: 'others', proven: true })
    const moved = await open(resources, { tokenIssuers: issuer('/moved') })
    await expect(moved.verifier.verify(token)).rejects.toMatchObject({ code: 'FETCH_FAILED' })
    expect(elsewhere.requests).toEqual([])
  })
})
