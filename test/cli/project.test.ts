import { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addConfigFlags } from '../../runtime/cli/project.ts'
import { configKeys } from '../../runtime/config/schema.ts'
import { runCommand } from '../support/command.ts'
import { saying } from '../support/function-files.ts'
import { makeProject, type TestProject } from '../support/server.ts'

describe('addConfigFlags', () => {
  it('adds a flag for every key, under whose name its value is found', () => {
    const command = addConfigFlags(new Command())
    const values = configKeys.map((key) => [key, `value of ${key}`])
    const args = command.options.map(({ long = '' }, index) => `${long}=${values[index]?.[1]}`)
    expect(command.parse(args, { from: 'user' }).opts()).toEqual(Object.fromEntries(values))
  })

  it('adds only the flags that are asked for', () => {
    const command = addConfigFlags(new Command(), ['provider', 'fallback'])
    expect(command.options.map(({ long }) => long)).toEqual(['--provider', '--fallback'])
  })

  it('gives no flag a value of its own, so that what stands elsewhere counts', () => {
    expect(addConfigFlags(new Command()).parse([], { from: 'user' }).opts()).toEqual({})
  })
})

describe('the project of a command', () => {
  let project: TestProject
  const prefixOf = async (environment: Record<string, string>, ...args: string[]): Promise<string> => {
    const { stdout } = await runCommand({ ...project, environment }, 'routes', '--json', ...args)
    return JSON.parse(stdout).routePrefix
  }

  beforeAll(async () => {
    project = await makeProject({ 'src/api/hello.ts': saying('hello') }, { functionsDirectory: 'src/api' })
    await project.write(
      'package.json',
      JSON.stringify({ name: 'a', isoplex: { functionsDirectory: 'src/api', routePrefix: '/file' } }),
    )
  })
  afterAll(() => project[Symbol.asyncDispose]())

  it('is that of the current folder, with the settings of its package.json', async () => {
    const { stdout } = await runCommand(project, 'routes', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      routePrefix: '/file',
      routes: [{ path: '/file/hello', file: 'src/api/hello.ts' }],
    })
  })

  it('lets the environment win over package.json, and flags over both', async () => {
    expect(await prefixOf({ ISOPLEX_ROUTE_PREFIX: '/variable' })).toBe('/variable')
    expect(await prefixOf({ ISOPLEX_ROUTE_PREFIX: '/variable' }, '--route-prefix', '/flag')).toBe('/flag')
  })

  it.each<[place: string, environment: Record<string, string>, args: string[]]>([
    ['--route-prefix', {}, ['--route-prefix', 'no slash']],
    ['ISOPLEX_ROUTE_PREFIX', { ISOPLEX_ROUTE_PREFIX: 'no slash' }, []],
  ])('refuses a wrong value and names %s', async (place, environment, args) => {
    const { code, stdout, stderr } = await runCommand({ ...project, environment }, 'routes', ...args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(new RegExp(`^isoplex: ${place} must be a path of plain segments .*"no slash"`))
  })

  it('refuses a wrong value in package.json and names the key', async () => {
    await using other = await makeProject({}, { port: 'high' })
    const { code, stderr } = await runCommand(other, 'routes')
    expect(code).toBe(1)
    expect(stderr).toBe(
      'isoplex: "isoplex.port" in package.json must be an integer from 0 to 65535; it is "high".\n',
    )
  })
})
