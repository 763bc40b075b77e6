import { InvalidArgumentError } from 'commander'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatAccesses, parseDays } from '../../runtime/cli/access.ts'
import { type Outcome, runCommand } from '../support/command.ts'
import { makeProject, type TestProject } from '../support/server.ts'

describe('parseDays', () => {
  it.each(['1', '36500'])('reads %s', (text) => {
    expect(parseDays(text)).toBe(Number(text))
  })

  it.each(['0', '-1', '1.5', '1e2', '36501', '', 'x'])('refuses "%s"', (text) => {
    expect(() => parseDays(text)).toThrow(InvalidArgumentError)
  })
})

describe('formatAccesses', () => {
  it('shows what each gives, and how to add a first one', () => {
    const access = {
      id: 1,
      tenant: null,
      models: null,
      rights: 'admin',
      label: '',
      expiresAtMs: null,
      addedAtMs: 0,
      revokedAtMs: null,
    } as const
    const other = {
      ...access,
      id: 2,
      tenant: 'acme',
      models: ['a', 'b'],
      rights: 'use',
      label: 'ci',
      expiresAtMs: 0,
    } as const
    expect(formatAccesses([access, other]).split('\n')).toEqual([
      'ACCESS  RIGHT  TENANT  MODELS  EXPIRES                   REVOKED  LABEL',
      '1       admin  -       all     -                         -        -',
      '2       use    acme    a b     1970-01-01T00:00:00.000Z  -        ci',
    ])
    expect(formatAccesses([])).toBe('No accesses. Add one with: isoplex access add')
  })
})

describe('isoplex access', () => {
  let project: TestProject
  const run = (...args: string[]): Promise<Outcome> => runCommand(project, 'access', ...args)
  beforeAll(async () => {
    project = await makeProject()
    await project.run('tenants', 'add', 'acme')
  })
  afterAll(() => project[Symbol.asyncDispose]())

  it('prints a token alone, lists accesses without it, and revokes', async () => {
    const flags = ['--tenant', 'acme', '--model', 'a', '--model', 'b', '--right', 'publish', '--label', 'ci']
    const added = await run('add', ...flags, '--expires-in-days', '2')
    expect(added).toMatchObject({ code: 0, stdout: expect.stringMatching(/^isoplexat_[\w-]{43}\n$/) })
    expect(added.stderr).toMatch(/^Access 1: .*not shown again/)
    expect(added.stderr).not.toContain(added.stdout.trim())
    const listed = await run('list', '--json')
    expect(listed.stdout).not.toContain(added.stdout.trim())
    const [access] = JSON.parse(listed.stdout)
    expect(access).toMatchObject({
      id: 1,
      tenant: 'acme',
      models: ['a', 'b'],
      rights: 'publish',
      label: 'ci',
    })
    expect(access.expiresAtMs - access.addedAtMs).toBeGreaterThan(86_400_000)
    expect((await run('revoke', '1')).stdout).toBe('Revoked access 1\n')
    expect((await run('list')).stdout).toMatch(/^1 .*Z +\S+Z +ci$/m)
  })

  it('prints the token as JSON for programs, and gives the least where nothing is said', async () => {
    const { stdout, stderr } = await run('add', '--json')
    expect(JSON.parse(stdout)).toEqual({
      id: expect.any(Number),
      token: expect.stringMatching(/^isoplexat_/),
    })
    expect(stderr).toBe('')
    const accesses = JSON.parse((await run('list', '--json')).stdout)
    expect(accesses.at(-1)).toMatchObject({ tenant: null, models: null, rights: 'use', expiresAtMs: null })
  })

  it.each([
    [['add', '--right', 'root'], /use, publish, admin/],
    [['add', '--tenant', 'nobody'], /nobody/],
    [['add', '--model', '../a'], /models/],
    [['add', '--expires-in-days', '0'], /1 to 36500/],
    [['revoke', '99'], /99/],
    [['revoke', 'x'], /whole number/],
  ])('refuses %j', async (args, reason) => {
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(reason)
  })
})
