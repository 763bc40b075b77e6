import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { getRoutePrefix, getServeAppName } from '../../runtime/deploy/serve-name.ts'

const nothing = { environment: {}, directoryName: 'project' }
const configFile = { code: 'my_plugin', version: '1.0.0' }

describe('the name of a deployed plugin', () => {
  it('is the code of the release, before that of config.yaml', () => {
    const environment = { SYNAPSE_PLUGIN_RELEASE_CODE: 'released@2.0.0' }
    expect(getServeAppName({ ...nothing, environment, configFile })).toBe('released@2.0.0')
    expect(getServeAppName({ ...nothing, configFile })).toBe('my_plugin@1.0.0')
  })

  it('is not made up where nothing names it', () => {
    const packageFile = { name: 'a-package', version: '1.0.0' }
    const empty = { SYNAPSE_PLUGIN_RELEASE_CODE: '' }
    for (const facts of [nothing, { ...nothing, packageFile }, { ...nothing, environment: empty }]) {
      expect(() => getServeAppName(facts)).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('config.yaml') }),
      )
    }
  })
})

describe('the route prefix of a deployed plugin', () => {
  it('is the checksum of the release as it stands, also without a name', () => {
    const environment = { SYNAPSE_PLUGIN_RELEASE_CHECKSUM: 'abc-DEF' }
    expect(getRoutePrefix({ ...nothing, environment })).toBe('/abc-DEF')
    expect(getRoutePrefix({ ...nothing, environment, configFile })).toBe('/abc-DEF')
  })

  it('is else the MD5 of the name', () => {
    expect(getRoutePrefix({ ...nothing, configFile })).toBe('/7dbcdb4cdcff0833accce5cec9a375d1')
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z가-힣]{1,20}@[0-9.]{1,9}$/), (code) => {
        const environment = { SYNAPSE_PLUGIN_RELEASE_CODE: code }
        const digest = createHash('md5').update(code).digest('hex')
        expect(getRoutePrefix({ ...nothing, environment, configFile })).toBe(`/${digest}`)
      }),
    )
  })

  it('is that of the configuration where there is one', () => {
    const environment = { SYNAPSE_PLUGIN_RELEASE_CHECKSUM: 'abc' }
    expect(getRoutePrefix({ ...nothing, environment, routePrefix: '/ocr/v1' })).toBe('/ocr/v1')
    expect(getRoutePrefix({ ...nothing, routePrefix: '/' })).toBe('/')
  })

  it('is not made up where nothing names it', () => {
    expect(() => getRoutePrefix(nothing)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})
