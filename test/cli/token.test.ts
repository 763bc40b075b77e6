import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeProtectedHeader, exportJWK, exportPKCS8, generateKeyPair } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProjectIssuer, createSynapseIssuer } from '../../runtime/auth/issuer.ts'
import { loadTokenIssuers } from '../../runtime/auth/issuer-config.ts'
import { loadProjectKeys } from '../../runtime/auth/key-ring.ts'
import { createTokenVerifier } from '../../runtime/auth/verifier.ts'
import { loadConfig } from '../../runtime/config/loader.ts'
import { commandLine, type Outcome, runCommand } from '../support/command.ts'
import { makeProject, type TestProject } from '../support/server.ts'

describe('isoplex token', () => {
  let project: TestProject
  const run = (...args: string[]): Promise<Outcome> => runCommand(project, 'token', ...args)
  const runWith = (environment: Record<string, string>, ...args: string[]): Promise<Outcome> =>
    runCommand({ directory: project.directory, environment }, 'token', ...args)
  const pair = generateKeyPair('ES256', { extractable: true })

  beforeAll(async () => {
    const keys = [{ file: 'public.json', algorithm: 'ES256', id: 'one' }]
    const ours = {
      name: 'ours',
      keys,
      issuer: 'https://id.example',
      audience: 'models',
      claims: { model: 'm' },
    }
    project = await makeProject({}, { tokenExpiresInSeconds: 120, tokenIssuers: [ours] })
    await project.write('public.json', JSON.stringify(await exportJWK((await pair).publicKey)))
    await project.write('access', 'very-secret\n')
    const options = { mode: 0o600 }
    await writeFile(
      join(project.directory, 'private.pem'),
      await exportPKCS8((await pair).privateKey),
      options,
    )
  })
  afterAll(() => project[Symbol.asyncDispose]())

  async function verifier(audience: string | null = null) {
    const { directory: projectDirectory } = project
    const keys = await loadProjectKeys(join(projectDirectory, '.isoplex'))
    const { tokenIssuers } = await loadConfig(projectDirectory)
    const fetchJson = () => Promise.reject(new Error('nobody asks'))
    const others = await loadTokenIssuers(tokenIssuers, { projectDirectory, audience, fetchJson })
    return createTokenVerifier({ issuers: [createProjectIssuer(keys, { audience }), ...others] })
  }

  it('prints a token of the project alone, and makes the key that it needs', async () => {
    const { code, stdout, stderr } = await run('--model', 'digits', '--tenant', 'acme')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    expect((await stat(join(project.directory, '.isoplex/key'))).mode & 0o777).toBe(0o600)
    const credentials = await (await verifier()).verify(stdout.trim())
    expect(credentials).toMatchObject({ modelId: 'digits', tenant: 'acme' })
  })

  it('says token, model, tenant and life to programs', async () => {
    const { stdout } = await run('--model', 'digits', '--json')
    expect(JSON.parse(stdout)).toEqual({
      token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      model: 'digits',
      tenant: null,
      expiresInSeconds: 120,
    })
  })

  it('gives a token the life that is asked for', async () => {
    const { stdout } = await run('--model', 'digits', '--expires-in-seconds', '7')
    const { iat, exp } = JSON.parse(Buffer.from(stdout.split('.')[1] ?? '', 'base64url').toString())
    expect(exp - iat).toBe(7)
  })

  it('names the audience that the project has', async () => {
    const { stdout } = await run('--model', 'digits', '--audience', 'here')
    await expect((await verifier()).verify(stdout.trim())).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
    await expect((await verifier('here')).verify(stdout.trim())).resolves.toMatchObject({ modelId: 'digits' })
  })

  it('notes the longest life with the key, for rotations', async () => {
    await run('--model', 'digits', '--expires-in-seconds', '90000')
    await run('--model', 'digits', '--expires-in-seconds', '5')
    expect(await readFile(join(project.directory, '.isoplex/key'), 'utf8')).toMatch(
      /^[\w-]{43} life=90000\n$/,
    )
  })

  it.each(['digits', 'digits@3', 'digits@prod'])('takes the model %s', async (model) => {
    const { stdout } = await run('--model', model)
    expect(await (await verifier()).verify(stdout.trim())).toMatchObject({ modelId: model })
  })

  it('encrypts a token with an access token from a file, standard input or the environment', async () => {
    const args = ['--model', 'digits', '--encrypt']
    const piped = Bun.spawn(commandLine('token', ...args, '--access-token-file', '-'), {
      cwd: project.directory,
      stdin: new Blob(['very-secret']),
      stdout: 'pipe',
    })
    const tokens = [
      (await run(...args, '--access-token-file', 'access')).stdout,
      (await runWith({ SYNAPSE_ACCESS_TOKEN: 'very-secret' }, ...args)).stdout,
      await new Response(piped.stdout).text(),
    ]
    for (const token of tokens) {
      expect(token).toMatch(/^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+\n$/)
      const credentials = await (await verifier()).verify(token.trim())
      expect(credentials).toMatchObject({ modelId: 'digits', accessToken: 'very-secret', proven: true })
    }
    const bare = (await runWith({ SYNAPSE_ACCESS_TOKEN: '' }, ...args)).stdout.trim()
    expect(await (await verifier()).verify(bare)).toMatchObject({ accessToken: null })
  })

  it('puts no access token of the environment into a token that can be read', async () => {
    const { stdout } = await runWith({ SYNAPSE_ACCESS_TOKEN: 'very-secret' }, '--model', 'digits')
    expect(await (await verifier()).verify(stdout.trim())).toMatchObject({ accessToken: null })
  })

  it('makes a token of an issuer with its private key, as that one must be', async () => {
    const args = ['--model', 'digits', '--tenant', 'acme', '--issuer', 'ours', '--key-file', 'private.pem']
    const { stdout, stderr } = await run(...args, '--access-token-file', 'access')
    expect(stderr).toBe('')
    expect(decodeProtectedHeader(stdout.trim())).toEqual({ alg: 'ES256', typ: 'JWT', kid: 'one' })
    expect(await (await verifier()).verify(stdout.trim())).toMatchObject({
      modelId: 'digits',
      tenant: 'acme',
      accessToken: 'very-secret',
      issuer: 'ours',
    })
  })

  it('makes the token of the Synapse SDK, without an end', async () => {
    const args = ['--model', '123', '--synapse', '--backend-url', 'https://api.example.com']
    const { stdout } = await runWith({ SYNAPSE_ACCESS_TOKEN: 'user_access_token' }, ...args, '--json')
    const { token, ...said } = JSON.parse(stdout)
    expect(said).toEqual({ model: '123', tenant: null, expiresInSeconds: null })
    expect(token).toBe(
      'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJtb2RlbCI6IjEyMyIsInRva2VuIjoidXNlcl9hY2Nlc3NfdG9rZW4ifQ.979kjcrKCzjdmhKYue6JrGp_kSXLwmzpq4PyvUGazkQ',
    )
    const issuers = [await createSynapseIssuer('https://api.example.com')]
    expect(await createTokenVerifier({ issuers }).verify(token)).toMatchObject({ proven: false })
  })

  it.each([
    [['--access-token-file', 'access'], 'add --encrypt'],
    [['--encrypt', '--access-token-file', 'none'], 'cannot be read'],
    [['--encrypt', '--access-token-file', 'package.json/'], 'cannot be read'],
    [['--encrypt', '--access-token-file', 'public.json', '--synapse'], 'cannot be used with'],
    [['--issuer', 'ours'], '--key-file belong together'],
    [['--key-file', 'private.pem'], '--key-file belong together'],
    [['--issuer', 'nobody', '--key-file', 'private.pem'], 'there is ours'],
    [['--issuer', 'ours', '--key-file', 'public.json'], 'chmod 600'],
    [['--issuer', 'ours', '--key-file', 'private.pem', '--synapse'], 'cannot be used with'],
    [['--synapse'], 'needs the URL'],
    [['--synapse', '--backend-url', 'https://a.example'], 'needs an access token'],
    [['--synapse', '--expires-in-seconds', '5'], 'cannot be used with'],
  ])('refuses %j and says what to do', async (args, advice) => {
    const { code, stdout, stderr } = await run('--model', 'a', ...args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(advice)
    expect(stderr).not.toContain('very-secret')
  })

  it.each([
    [['--model', ''], '--model'],
    [['--model', 'a\nb'], '--model'],
    [['--model', 'a@'], '--model'],
    [['--model', '@3'], '--model'],
    [['--model', 'a@b@c'], '--model'],
    [['--model', 'a', '--tenant', ''], '--tenant'],
    [['--model', 'a', '--expires-in-seconds', 'soon'], '--expires-in-seconds'],
    [['--model', 'a', '--expires-in-seconds', '0'], '--expires-in-seconds'],
    [['--model', 'a', '--expires-in-seconds', '1.5'], '--expires-in-seconds'],
  ])('refuses %j and names the flag', async (args, flag) => {
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(`option '${flag}`)
  })
})
