import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatTenants } from '../../runtime/cli/tenants.ts'
import { type Outcome, runCommand } from '../support/command.ts'
import { makeProject, type TestProject } from '../support/server.ts'

describe('formatTenants', () => {
  it('shows who was revoked, and how to add a first one', () => {
    const acme = { name: 'acme', addedAtMs: 0, revokedAtMs: null }
    expect(formatTenants([acme, { ...acme, name: 'b', revokedAtMs: 1_000 }]).split('\n')).toEqual([
      'TENANT  ADDED                     REVOKED',
      'acme    1970-01-01T00:00:00.000Z  -',
      'b       1970-01-01T00:00:00.000Z  1970-01-01T00:00:01.000Z',
    ])
    expect(formatTenants([])).toBe('No tenants. Add one with: isoplex tenants add NAME')
  })
})

describe('isoplex tenants', () => {
  let project: TestProject
  const run = (...args: string[]): Promise<Outcome> => runCommand(project, 'tenants', ...args)
  beforeAll(async () => {
    project = await makeProject()
  })
  afterAll(() => project[Symbol.asyncDispose]())

  it('adds, lists and revokes', async () => {
    expect(await run('add', 'acme & co')).toMatchObject({
      code: 0,
      stdout: 'Added tenant acme & co\n',
      stderr: '',
    })
    expect(JSON.parse((await run('list', '--json')).stdout)).toMatchObject([
      { name: 'acme & co', revokedAtMs: null },
    ])
    expect((await run('revoke', 'acme & co')).stdout).toMatch(/^Revoked tenant acme & co/)
    expect((await run('list')).stdout).toMatch(/^acme & co +\S+Z +\S+Z$/m)
  })

  it.each([
    [['add', ''], /name/],
    [['add'], /missing required argument/],
    [['revoke', 'nobody'], /no tenant "nobody"/],
  ])('refuses %j', async (args, reason) => {
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(reason)
  })
})
