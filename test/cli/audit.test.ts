import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatAudit } from '../../runtime/cli/audit.ts'
import { type Outcome, runCommand } from '../support/command.ts'
import { makeProject, type TestProject } from '../support/server.ts'

describe('formatAudit', () => {
  it('shows who did what to what', () => {
    const entry = {
      id: 1,
      atMs: 0,
      actor: 'access:2',
      action: 'tenant.add',
      target: 'acme',
      details: { a: 1 },
    } as const
    expect(formatAudit([entry]).split('\n')).toEqual([
      'ENTRY  TIME                      ACTOR     ACTION      TARGET  DETAILS',
      '1      1970-01-01T00:00:00.000Z  access:2  tenant.add  acme    {"a":1}',
    ])
    expect(formatAudit([])).toBe('Nothing was changed.')
  })
})

describe('isoplex audit', () => {
  let project: TestProject
  const run = (...args: string[]): Promise<Outcome> => runCommand(project, 'audit', ...args)
  beforeAll(async () => {
    project = await makeProject()
    for (const name of ['a', 'b', 'c']) await project.run('tenants', 'add', name)
  })
  afterAll(() => project[Symbol.asyncDispose]())

  it('shows the newest first, in pages', async () => {
    expect((await run()).stdout.match(/local +tenant\.add/g)).toHaveLength(3)
    const [newest, second] = JSON.parse((await run('--limit', '2', '--json')).stdout)
    expect([newest.target, second.target]).toEqual(['c', 'b'])
    const older = JSON.parse((await run('--before', String(second.id), '--json')).stdout)
    expect(older).toMatchObject([{ target: 'a', actor: 'local' }])
  })

  it.each([
    [['--limit', '0'], /whole number/],
    [['--limit', '5000'], /limit/],
    [['--before', 'x'], /whole number/],
  ])('refuses %j', async (args, reason) => {
    const { code, stderr } = await run(...args)
    expect(code).toBe(1)
    expect(stderr).toMatch(reason)
  })
})
