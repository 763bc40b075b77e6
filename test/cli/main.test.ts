import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import packageFile from '../../package.json' with { type: 'json' }
import { describeConfig } from '../../runtime/config/description.ts'
import { flagOf } from '../../runtime/config/source.ts'
import { commandLine, type Outcome, runCommand } from '../support/command.ts'
import { saying } from '../support/function-files.ts'
import { makeProject, type TestProject } from '../support/server.ts'

const configFlags = describeConfig().map(({ key }) => flagOf(key))
const registryFlags = ['--json', '--functions-directory', '--state-directory']
const flagsOf: Readonly<Record<string, readonly string[]>> = {
  dev: ['--json', ...configFlags],
  serve: ['--json', '--build', '--socket', '--supervised', ...configFlags],
  gateway: ['--json', '--ray', '--socket', ...configFlags],
  node: ['--json', '--build', '--supervised', ...configFlags],
  build: [
    '--json',
    '--out',
    '--no-compress',
    '--self-contained',
    '--archive',
    '--functions-directory',
    '--state-directory',
    '--environment',
  ],
  routes: [
    '--json',
    '--functions-directory',
    '--state-directory',
    '--route-prefix',
    '--environment',
    '--deployments',
  ],
  token: [
    '--json',
    '--model',
    '--tenant',
    '--expires-in-seconds',
    '--access-token-file',
    '--encrypt',
    '--issuer',
    '--key-file',
    '--synapse',
    '--audience',
    '--backend-url',
    '--state-directory',
  ],
  'keys list': ['--json', '--state-directory'],
  'keys rotate': ['--json', '--keep-seconds', '--state-directory'],
  'keys remove': ['--json', '--state-directory'],
  'models add': ['--id', '--tenant', '--field', '--browser', ...registryFlags],
  'models list': registryFlags,
  'models show': registryFlags,
  'models remove': registryFlags,
  'models alias': registryFlags,
  'models unalias': registryFlags,
  'models verify': ['--remove', ...registryFlags],
  'models prune': ['--max-bytes', ...registryFlags],
  'models load': ['--function', '--tenant', '--pin', ...registryFlags],
  'models unload': ['--function', '--tenant', ...registryFlags],
  'models pin': ['--function', '--tenant', ...registryFlags],
  'models unpin': ['--function', '--tenant', ...registryFlags],
  'tenants add': registryFlags,
  'tenants list': registryFlags,
  'tenants revoke': registryFlags,
  'access add': ['--tenant', '--model', '--right', '--label', '--expires-in-days', ...registryFlags],
  'access list': registryFlags,
  'access revoke': registryFlags,
  audit: ['--limit', '--before', ...registryFlags],
  run: [
    '--params',
    '--input',
    '--mode',
    '--model',
    '--tenant',
    '--url',
    '--token-file',
    '--timeout-ms',
    '--address',
    '--bundle',
    '--num-cpus',
    '--num-gpus',
    '--output',
    '--json',
    '--functions-directory',
    '--state-directory',
    '--route-prefix',
    '--environment',
    '--provider',
    '--intra-op-threads',
    '--input-hosts',
    '--job-timeout-ms',
    '--cluster-key-file',
    '--log-level',
  ],
  'jobs list': ['--state', '--function', '--before', '--limit', '--json', '--state-directory'],
  'jobs show': ['--json', '--state-directory'],
  'jobs logs': ['--json', '--state-directory'],
  'jobs result': ['--json', '--state-directory'],
  'jobs cancel': ['--json', '--state-directory'],
  'jobs follow': ['--output', '--json', '--state-directory'],
  deployments: ['--watch', '--json', '--state-directory'],
  redeploy: ['--replicas', '--options', '--settings', '--json', '--state-directory'],
  deploy: [
    '--address',
    '--replicas',
    '--num-cpus',
    '--num-gpus',
    '--memory',
    '--resource',
    '--bundle',
    '--cluster-state',
    '--rollback',
    '--status',
    '--json',
    '--functions-directory',
    '--state-directory',
    '--route-prefix',
    '--environment',
    '--node-address',
    '--node-key-file',
  ],
  undeploy: ['--address', '--json', '--route-prefix'],
  ps: ['--watch', '--json', '--state-directory'],
  doctor: ['--json', '--provider', '--fallback'],
}

describe('isoplex', () => {
  let project: TestProject
  const run = (...args: string[]): Promise<Outcome> => runCommand(project, ...args)

  beforeAll(async () => {
    project = await makeProject({ 'functions/hello.ts': saying('hello') })
  })
  afterAll(() => project[Symbol.asyncDispose]())

  it('says its version, alone', async () => {
    expect(await run('--version')).toEqual({ code: 0, stdout: `${packageFile.version}\n`, stderr: '' })
  })

  it('names every command in its help', async () => {
    const { code, stdout } = await run('--help')
    expect(code).toBe(0)
    const commands = new Set(Object.keys(flagsOf).map((name) => name.split(' ')[0]))
    expect(new Set([...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name))).toEqual(
      new Set([...commands, 'help']),
    )
  })

  it.each(Object.entries(flagsOf))('names every flag of %s in its help', async (command, flags) => {
    const { code, stdout, stderr } = await run(...command.split(' '), '--help')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(new RegExp(`^Usage: isoplex ${command}`))
    expect(new Set([...stdout.matchAll(/^ {2,}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag]) => flag))).toEqual(
      new Set([...flags, '--help']),
    )
  })

  it('shows its help, and fails, where no command is named', async () => {
    const { code, stdout, stderr } = await run()
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('Usage: isoplex')
  })

  it.each([
    [['tokn', '--model', 'a'], "unknown command 'tokn'", 'Did you mean token?'],
    [['serve', '--prot', '1'], "unknown option '--prot'", 'Did you mean --port?'],
    [['models', 'ad'], "unknown command 'ad'", 'Did you mean add?'],
    [['token'], "required option '--model <id>' not specified", ''],
    [['models', 'add', '--id', 'a'], "missing required argument 'path'", ''],
    [['routes', 'too', 'much'], 'too many arguments', ''],
  ])('refuses %j, and says what was meant', async (args, problem, advice) => {
    const { code, stdout, stderr } = await run(...args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^isoplex: (?!error)/)
    expect(stderr).toContain(problem)
    expect(stderr).toContain(advice)
  })

  it('says a failure as one line of JSON to programs', async () => {
    const usage = await run('tokn', '--json')
    expect({ code: usage.code, stdout: usage.stdout }).toEqual({ code: 1, stdout: '' })
    expect(JSON.parse(usage.stderr).error).toEqual({
      code: 'CONFIG_INVALID',
      message: "unknown command 'tokn'\n(Did you mean token?)",
    })
    const missing = await run('models', 'show', 'nobody', '--json')
    expect(JSON.parse(missing.stderr).error).toMatchObject({
      code: 'MODEL_NOT_FOUND',
      details: { model: 'nobody' },
    })
  })

  it('says nothing and does not fail where whoever reads it has gone', async () => {
    const command = commandLine('routes').join(' ')
    const shell = Bun.spawn(['bash', '-c', `${command} | true; echo \${PIPESTATUS[0]}`], {
      cwd: project.directory,
      stdout: 'pipe',
      stderr: 'pipe',
    })
    expect(await new Response(shell.stdout).text()).toBe('0\n')
    expect(await new Response(shell.stderr).text()).toBe('')
  })

  it.runIf(process.platform === 'linux')('fails where its output cannot be written', async () => {
    const command = commandLine('routes').join(' ')
    const shell = Bun.spawn(['sh', '-c', `${command} > /dev/full`], {
      cwd: project.directory,
      stderr: 'pipe',
    })
    expect(await new Response(shell.stderr).text()).toMatch(/^isoplex: ENOSPC/)
    expect(await shell.exited).toBe(1)
  })
})
