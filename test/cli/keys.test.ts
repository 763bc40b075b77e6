import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createProjectIssuer } from '../../runtime/auth/issuer.ts'
import { loadProjectKeys } from '../../runtime/auth/key-ring.ts'
import { createTokenVerifier } from '../../runtime/auth/verifier.ts'
import { runCommand } from '../support/command.ts'
import { makeProject, type TestProject } from '../support/server.ts'

describe('isoplex keys', () => {
  let project: TestProject
  beforeEach(async () => {
    project = await makeProject({}, { tokenExpiresInSeconds: 120 })
  })
  afterEach(() => project[Symbol.asyncDispose]())

  const run = (...args: string[]) => runCommand(project, ...args)
  const keysOf = async (...args: string[]) => JSON.parse((await run('keys', ...args, '--json')).stdout)
  const verify = async (token: string) => {
    const keys = await loadProjectKeys(join(project.directory, '.isoplex'))
    return createTokenVerifier({ issuers: [createProjectIssuer(keys)] }).verify(token)
  }

  it('lists the key that it makes where there is none, and never its secret', async () => {
    const { code, stdout, stderr } = await run('keys', 'list')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const [, id] = /^KEY +USE\n([\w-]{16}) +signs\n$/.exec(stdout) ?? []
    expect(id).toBeDefined()
    const secret = (await readFile(join(project.directory, '.isoplex/key'), 'utf8')).slice(0, 43)
    expect(stdout).not.toContain(secret)
    expect(await keysOf('list')).toEqual([{ id, signs: true, lifeSeconds: 0, untilMs: null }])
  })

  it('rotates so that tokens of before stay good and new ones are of the new key', async () => {
    const before = (await run('token', '--model', 'a', '--expires-in-seconds', '7000')).stdout.trim()
    const [{ id: old }] = await keysOf('list')
    const startMs = Date.now()
    const { stdout } = await run('keys', 'rotate')
    expect(stdout).toMatch(new RegExp(`\n[\\w-]{16} +signs\n${old} +verifies +until 2\\d{3}-`))
    const after = (await run('token', '--model', 'b')).stdout.trim()
    expect(await verify(before)).toMatchObject({ modelId: 'a' })
    expect(await verify(after)).toMatchObject({ modelId: 'b' })
    const [first, second] = await keysOf('list')
    expect(first).toMatchObject({ signs: true, lifeSeconds: 120 })
    expect(second).toMatchObject({ id: old, signs: false, lifeSeconds: 7000 })
    expect(second.untilMs).toBeGreaterThanOrEqual(startMs + 7_000_000)

    expect((await run('keys', 'remove', old)).code).toBe(0)
    await expect(verify(before)).rejects.toMatchObject({ details: { reason: 'signature' } })
    expect(await verify(after)).toMatchObject({ modelId: 'b' })
  })

  it('ends the tokens of a key at once where it is kept for no time', async () => {
    const before = (await run('token', '--model', 'a')).stdout.trim()
    expect((await run('keys', 'rotate', '--keep-seconds', '0')).code).toBe(0)
    await expect(verify(before)).rejects.toMatchObject({ details: { reason: 'signature' } })
  })

  it('adds a key for each of several rotations at the same time', async () => {
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => run('keys', 'rotate')))
    expect(outcomes.map(({ code, stderr }) => [code, stderr])).toEqual(Array(4).fill([0, '']))
    expect(await keysOf('list')).toHaveLength(5)
    expect((await readdir(join(project.directory, '.isoplex'))).toSorted()).toEqual([
      '.gitignore',
      'key',
      'key.lock',
    ])
  })

  it.each([
    [['rotate', '--keep-seconds', '-1'], '--keep-seconds'],
    [['rotate', '--keep-seconds', 'soon'], '--keep-seconds'],
    [['remove', 'nobody'], 'keys list'],
    [['remove'], "argument 'id'"],
  ])('refuses %j', async (args, problem) => {
    const { code, stdout, stderr } = await run('keys', ...args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(problem)
  })

  it('refuses to remove the key that signs, and says what to do before', async () => {
    const [{ id }] = await keysOf('list')
    const { code, stderr } = await run('keys', 'remove', id)
    expect(code).toBe(1)
    expect(stderr).toContain('isoplex keys rotate')
  })
})
