import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verdictOf } from '../../runtime/cli/doctor.ts'
import { providers } from '../../runtime/engine/provider.ts'
import { IsoplexError } from '../../runtime/error/error.ts'
import { type Outcome, runCommand } from '../support/command.ts'
import { makeProject, type TestProject } from '../support/server.ts'

describe('isoplex doctor', () => {
  let project: TestProject
  const run = (...args: string[]): Promise<Outcome> => runCommand(project, 'doctor', ...args)

  beforeAll(async () => {
    project = await makeProject()
  })
  afterAll(() => project[Symbol.asyncDispose]())

  it('says of every provider whether it is to be had, and what would be chosen', async () => {
    const { code, stdout } = await run()
    expect(code).toBe(0)
    for (const provider of providers) expect(stdout).toMatch(new RegExp(`^${provider} +(yes|no) +\\S`, 'm'))
    expect(stdout).toMatch(/^With provider "auto", models compute on (cpu|cuda)\.$/m)
  })

  it('says the facts and the choice to programs', async () => {
    const { code, stdout } = await run('--json', '--provider', 'cpu')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      bun: Bun.version,
      facts: { platform: process.platform, architecture: process.arch },
      providers: providers.map((provider) => ({ provider, available: expect.any(Boolean) })),
      wished: 'cpu',
      fallback: null,
      choice: { provider: 'cpu', fellBack: false },
      problem: null,
    })
  })

  // No machine has a provider that its own environment hides.
  const hidden = { CUDA_VISIBLE_DEVICES: '' }

  it('exits with 1 where the wish cannot be met, and says what is missing', async () => {
    const call = { ...project, environment: { ...hidden, ISOPLEX_PROVIDER: 'cuda' } }
    const { code, stdout } = await runCommand(call, 'doctor')
    expect(code).toBe(1)
    expect(stdout).toMatch(/^With provider "cuda", models do not load here; missing: .*NVIDIA device/m)
    expect(stdout).toMatch(/^To get cuda: \S/m)
    const told = await runCommand(call, 'doctor', '--json')
    expect(told.code).toBe(1)
    expect(JSON.parse(told.stdout)).toMatchObject({
      wished: 'cuda',
      choice: null,
      problem: { code: 'PROVIDER_UNAVAILABLE', details: { missing: expect.any(Array) } },
    })
  })

  it('takes the fallback where there is one, and says so', async () => {
    const call = { ...project, environment: hidden }
    const { code, stdout } = await runCommand(call, 'doctor', '--provider', 'cuda', '--fallback', 'cpu')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^With provider "cuda", models compute on cpu, the fallback\.$/m)
  })

  it('refuses a provider that there is not', async () => {
    const { code, stderr } = await run('--provider', 'tpu')
    expect(code).toBe(1)
    expect(stderr).toBe(
      'isoplex: --provider must be one of auto, cpu, cuda, tensorrt, webgpu; it is "tpu".\n',
    )
  })
})

describe('verdictOf', () => {
  it('names what is missing', () => {
    const error = new IsoplexError('PROVIDER_UNAVAILABLE', 'No.', { details: { missing: ['a.so', 'b.so'] } })
    expect(verdictOf('cuda', error)).toBe(
      'With provider "cuda", models do not load here; missing: a.so, b.so.',
    )
  })
})
