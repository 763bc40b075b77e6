import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type PluginFacts, readPluginIdentity, resolvePluginIdentity } from '../../runtime/route/prefix.ts'

// The digest that the Synapse SDK computes for this plugin.
const code = 'my_plugin@1.0.0'
const digest = '/7dbcdb4cdcff0833accce5cec9a375d1'
const nothing: PluginFacts = { environment: {}, directoryName: 'folder' }

function resolve(facts: Partial<PluginFacts>): [appName: string, routePrefix: string] {
  const { appName, routePrefix } = resolvePluginIdentity({ ...nothing, ...facts })
  return [appName, routePrefix]
}

describe('resolvePluginIdentity', () => {
  it('takes the checksum of the release as it stands', () => {
    const environment = { SYNAPSE_PLUGIN_RELEASE_CHECKSUM: 'ABCdef123', SYNAPSE_PLUGIN_RELEASE_CODE: code }
    expect(resolve({ environment })).toEqual([code, '/ABCdef123'])
  })

  it('digests the code of the release', () => {
    const configFile = { code: 'other', version: '2.0.0' }
    expect(resolve({ environment: { SYNAPSE_PLUGIN_RELEASE_CODE: code }, configFile })).toEqual([
      code,
      digest,
    ])
  })

  it('digests code and version of config.yaml', () => {
    expect(resolve({ configFile: { code: 'my_plugin', version: '1.0.0' } })).toEqual([code, digest])
  })

  it('takes 0.1.0 for the version of a config.yaml without one', () => {
    const given = resolve({ configFile: { code: 'my_plugin', version: '0.1.0' } })
    expect(resolve({ configFile: { code: 'my_plugin' } })).toEqual(given)
  })

  it('takes the name of the package and no prefix for a project that is no plugin', () => {
    const packageFile = { name: '@scope/app', version: '2.3.4' }
    for (const configFile of [undefined, null, {}, { version: '1.0.0' }, ['code'], 'code']) {
      expect(resolve({ packageFile, configFile })).toEqual(['@scope/app@2.3.4', ''])
    }
  })

  it('falls back on the name of the folder', () => {
    expect(resolve({})).toEqual(['folder@0.1.0', ''])
  })

  it('takes empty variables for unset ones', () => {
    const environment = { SYNAPSE_PLUGIN_RELEASE_CHECKSUM: '', SYNAPSE_PLUGIN_RELEASE_CODE: '' }
    expect(resolve({ environment })).toEqual(['folder@0.1.0', ''])
  })

  it('lets a configured prefix win, also the one that is none', () => {
    const environment = { SYNAPSE_PLUGIN_RELEASE_CHECKSUM: 'abc' }
    expect(resolve({ environment, routePrefix: '/models/v1' })).toEqual(['folder@0.1.0', '/models/v1'])
    expect(resolve({ environment, routePrefix: '/' })).toEqual(['folder@0.1.0', ''])
    expect(resolve({ environment, routePrefix: null })).toEqual(['folder@0.1.0', '/abc'])
  })

  it.each(['a/b', '/a', '..', '.', 'a\nb', 'a b', 'a?b', 'é', 'a%2Fb', '-', 'healthz', 'a\u0000'])(
    'refuses the checksum %j',
    (checksum) => {
      const environment = { SYNAPSE_PLUGIN_RELEASE_CHECKSUM: checksum }
      expect(() => resolve({ environment })).toThrow(
        expect.objectContaining({
          code: 'CONFIG_INVALID',
          message: expect.stringContaining('SYNAPSE_PLUGIN_RELEASE_CHECKSUM'),
        }),
      )
    },
  )

  it.each(['', 'a', '/a/', '//', '/a/../b', '/-', '/-/a', '/metrics'])(
    'refuses the prefix %j',
    (routePrefix) => {
      expect(() => resolve({ routePrefix })).toThrow('routePrefix')
    },
  )

  it.each([
    [{ environment: { SYNAPSE_PLUGIN_RELEASE_CODE: 'a\nb' } }, 'SYNAPSE_PLUGIN_RELEASE_CODE'],
    [{ configFile: { code: '' } }, 'code in config.yaml'],
    [{ configFile: { code: 1 } }, 'code in config.yaml'],
    [{ configFile: { code: 'a', version: 1.0 } }, 'put a version between quotes'],
    [{ packageFile: { name: 1 } }, 'name in package.json'],
    [{ packageFile: { name: 'a', version: 'x'.repeat(513) } }, 'version in package.json'],
  ])('refuses %j and names the place', (facts, place) => {
    expect(() => resolve(facts)).toThrow(place)
  })
})

describe('readPluginIdentity', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'isoplex-prefix-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  it('reads config.yaml before package.json', async () => {
    await writeFile(join(directory, 'package.json'), '{"name":"app","version":"9.9.9"}')
    expect(await readPluginIdentity(directory, { environment: {} })).toEqual({
      appName: 'app@9.9.9',
      routePrefix: '',
    })
    await writeFile(join(directory, 'config.yaml'), 'name: My plugin\ncode: my_plugin\nversion: "1.0.0"\n')
    expect(await readPluginIdentity(directory, { environment: {} })).toEqual({
      appName: code,
      routePrefix: digest,
    })
  })

  it('takes an empty config.yaml for none', async () => {
    await writeFile(join(directory, 'config.yaml'), '')
    expect((await readPluginIdentity(directory, { environment: {} })).routePrefix).toBe('')
  })

  it('says that a config.yaml is broken', async () => {
    await writeFile(join(directory, 'config.yaml'), 'code: [')
    await expect(readPluginIdentity(directory, { environment: {} })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(join(directory, 'config.yaml')),
    })
  })
})
