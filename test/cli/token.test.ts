import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadProjectKey } from '../../runtime/auth/key.ts'
import { createTokenVerifier } from '../../runtime/auth/verifier.ts'
import { type Outcome, runCommand } from '../support/command.ts'
import { makeProject, type TestProject } from '../support/server.ts'

describe('isoplex token', () => {
  let project: TestProject
  const run = (...args: string[]): Promise<Outcome> => runCommand(project, 'token', ...args)

  beforeAll(async () => {
    project = await makeProject({}, { tokenExpiresInSeconds: 120 })
  })
  afterAll(() => project[Symbol.asyncDispose]())

  async function verifier(audience: string | null = null) {
    const keys = [await loadProjectKey(join(project.directory, '.isoplex'))]
    return createTokenVerifier({ keys, audience })
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

  it.each([
    [['--model', ''], '--model'],
    [['--model', 'a\nb'], '--model'],
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
