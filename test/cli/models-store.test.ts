import { InvalidArgumentError } from 'commander'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatBroken, parseBytes } from '../../runtime/cli/models-store.ts'
import { type Outcome, runCommand } from '../support/command.ts'
import { addConstantModel } from '../support/onnx-models.ts'
import { makeProject, type TestProject } from '../support/server.ts'

describe('parseBytes', () => {
  it('reads a whole number, and nothing else', () => {
    expect(parseBytes('0')).toBe(0)
    for (const text of ['', '-1', '1.5', '1e3', '9'.repeat(16)]) {
      expect(() => parseBytes(text)).toThrow(InvalidArgumentError)
    }
  })
})

describe('formatBroken', () => {
  it('shows what is broken', () => {
    expect(formatBroken([{ digest: 'abc', part: 'unpacked', file: 'a.onnx' }]).split('\n')).toEqual([
      'SHA-256  BROKEN    FILE',
      'abc      unpacked  a.onnx',
    ])
  })
})

describe('isoplex models verify and prune', () => {
  let project: TestProject
  const run = (...args: string[]): Promise<Outcome> => runCommand(project, 'models', ...args)
  beforeAll(async () => {
    project = await makeProject({ 'a.onnx': addConstantModel(1) })
  })
  afterAll(() => project[Symbol.asyncDispose]())

  it('tell of a broken artifact by their exit code, and remove it where asked', async () => {
    const { digest } = JSON.parse((await run('add', 'a.onnx', '--id', 'mine', '--json')).stdout)
    expect(await run('verify')).toMatchObject({ code: 0, stdout: 'Every artifact is as it was put here.\n' })
    expect((await run('prune', '--max-bytes', '0')).stdout).toMatch(/^Removed 0 artifacts, freed 0 B; /)
    await project.write(`.isoplex/artifacts/${digest}`, 'broken')
    expect(await run('verify')).toMatchObject({ code: 1, stdout: expect.stringContaining(digest) })
    expect(JSON.parse((await run('verify', '--remove', '--json')).stdout)).toMatchObject([{ digest }])
    expect((await run('verify')).code).toBe(0)
  })
})
