import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaults } from '../../runtime/config/defaults.ts'
import { type ConfigSources, loadConfig, resolveConfig } from '../../runtime/config/loader.ts'
import { IsoplexError } from '../../runtime/error/error.ts'

/** The message that a bad configuration is refused with. */
function refusal(sources: ConfigSources): string {
  try {
    resolveConfig(sources)
  } catch (error) {
    expect(error).toBeInstanceOf(IsoplexError)
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    return (error as Error).message
  }
  throw new Error('the configuration was accepted')
}

describe('resolveConfig', () => {
  it('gives the defaults where nothing is said', () => {
    expect(resolveConfig({})).toEqual(defaults)
  })

  it('lays environment over file and flags over environment', () => {
    const file = { port: 1, maxQueuedRequests: 1, replicas: 1 }
    const environment = { ISOPLEX_PORT: '2', ISOPLEX_MAX_QUEUED_REQUESTS: '2' }
    const flags = { port: '3' }
    const config = resolveConfig({ file, environment, flags })
    expect([config.port, config.maxQueuedRequests, config.replicas]).toEqual([3, 2, 1])
  })

  it('reads PORT and HOST, and its own variables before them', () => {
    expect(resolveConfig({ environment: { PORT: '8080', HOST: '0.0.0.0' } })).toMatchObject({
      port: 8080,
      host: '0.0.0.0',
    })
    expect(resolveConfig({ environment: { PORT: '8080', ISOPLEX_PORT: '9090' } }).port).toBe(9090)
  })

  it('takes an empty variable and an undefined flag as not given', () => {
    const config = resolveConfig({ environment: { ISOPLEX_PORT: '', PORT: '' }, flags: { port: undefined } })
    expect(config.port).toBe(defaults.port)
  })

  it('leaves the service address of Kubernetes alone', () => {
    const environment = {
      ISOPLEX_PORT: 'tcp://10.96.0.7:80',
      ISOPLEX_PORT_80_TCP: 'tcp://10.96.0.7:80',
      ISOPLEX_PORT_80_TCP_ADDR: '10.96.0.7',
      ISOPLEX_SERVICE_HOST: '10.96.0.7',
      ISOPLEX_SERVICE_PORT: '80',
    }
    expect(resolveConfig({ environment })).toEqual(defaults)
  })

  it('reads a list of a variable by its commas', () => {
    const environment = { ISOPLEX_CORS_ORIGINS: 'https://a.example, http://localhost:5173,' }
    expect(resolveConfig({ environment }).corsOrigins).toEqual(['https://a.example', 'http://localhost:5173'])
  })

  it('lets a file unset a key that may be unset', () => {
    const sources = { file: { routePrefix: '/a', fallback: null }, flags: { routePrefix: null } }
    expect(resolveConfig(sources)).toMatchObject({ routePrefix: null, fallback: null })
  })

  it('gives a frozen result that shares no list with its sources', () => {
    const origins = ['https://a.example']
    const config = resolveConfig({ flags: { corsOrigins: origins } })
    origins.push('https://b.example')
    expect(config.corsOrigins).toEqual(['https://a.example'])
    expect(Object.isFrozen(config)).toBe(true)
    expect(Object.values(config).every((value) => Object.isFrozen(value))).toBe(true)
  })

  it('names the nearest key beside an unknown one', () => {
    expect(refusal({ file: { prot: 1 } })).toBe(
      '"isoplex.prot" in package.json is not known; the nearest is "isoplex.port".',
    )
    expect(refusal({ flags: { maxBodyByte: 1 } })).toBe(
      '--max-body-byte is not known; the nearest is --max-body-bytes.',
    )
    expect(refusal({ environment: { ISOPLEX_REPLICA: '1' } })).toBe(
      'ISOPLEX_REPLICA is not known; the nearest is ISOPLEX_REPLICAS.',
    )
  })

  it('leaves variables alone that are unlike any key', () => {
    expect(resolveConfig({ environment: { ISOPLEX_REQUIRE: 'chromium', ISOPLEXPORT: '1' } })).toEqual(
      defaults,
    )
  })

  it('knows no key of the prototype', () => {
    for (const key of ['__proto__', 'constructor', 'toString']) {
      expect(refusal({ file: JSON.parse(`{"${key}": {}}`) })).toContain(`"isoplex.${key}" in package.json`)
    }
  })

  it('names the place and the bounds of a bad value', () => {
    expect(refusal({ file: { port: '3000' } })).toBe(
      '"isoplex.port" in package.json must be an integer from 0 to 65535; it is "3000".',
    )
    expect(refusal({ environment: { ISOPLEX_PORT: '65536' } })).toBe(
      'ISOPLEX_PORT must be an integer from 0 to 65535; it is 65536.',
    )
    expect(refusal({ flags: { logLevel: 'loud' } })).toBe(
      '--log-level must be one of debug, info, warn, error; it is "loud".',
    )
  })

  it('tells every mistake at once, one on a line', () => {
    expect(refusal({ file: { port: -1, nope: 1 }, flags: { host: 'a b' } }).split('\n')).toHaveLength(3)
  })

  it.each([
    ['port', '1e3'],
    ['port', '0x10'],
    ['port', '3000 4000'],
    ['port', 3000.5],
    ['port', null],
    ['port', Number.NaN],
    ['host', 'http://localhost'],
    ['host', ''],
    ['functionsDirectory', 'a\0b'],
    ['routePrefix', 'digits'],
    ['routePrefix', '/digits/'],
    ['routePrefix', '//digits'],
    ['routePrefix', '/a b'],
    ['routePrefix', '/a/:b'],
    ['corsOrigins', 'https://a.example'.concat('/')],
    ['corsOrigins', 'https://A.example'],
    ['corsOrigins', 'https://a.example:443'],
    ['corsOrigins', 'a.example'],
    ['corsOrigins', 'null'],
    ['corsOrigins', [1]],
    ['allowedHosts', 'a.example:80'],
    ['allowedHosts', '*.example'],
    ['environment', 'A=B'],
    ['replicas', -1],
    ['maxHeaderBytes', 16_383],
    ['requestTimeoutMs', 2_147_483_648],
    ['maxBodiesInFlightBytes', 2 ** 53],
    ['provider', 'wasm'],
    ['fallback', 'auto'],
    ['audience', 'a\nb'],
    ['tokenIssuers', '[{"name":"a"}]'],
    ['tokenIssuers', 'https://id.example'],
    ['backend', 'other'],
    ['backendUrl', 'ftp://a.example'],
    ['backendUrl', 'https://a b'],
    ['backendHeaders', 'cookie'],
    ['artifactHosts', 'a.example/models'],
    ['artifactHosts', 's3://'],
    ['inputHosts', 's3://bucket'],
    ['inputHosts', 'http://a.example:80'],
    ['publicUrl', 'https://a.example/'],
  ])('refuses %s %j', (key, value) => {
    expect(refusal({ flags: { [key]: value } })).toMatch(/^--[a-z-]+ must be /)
  })

  it.each([
    ['routePrefix', '/'],
    ['routePrefix', '/digits/v1.0'],
    ['host', '::1'],
    ['corsOrigins', '*'],
    ['corsOrigins', 'https://[::1]:8443'],
    ['allowedHosts', 'a-b.example'],
    ['port', ' 3000 '],
    ['fallback', 'cpu'],
    ['backend', 'embedded'],
    ['backendUrl', 'http://127.0.0.1:8000/'],
    ['artifactHosts', '*.a.example, http://10.0.0.7:9000, s3://bucket-1, *'],
    ['publicUrl', 'https://a.example:8443'],
    ['tokenIssuers', '[{"name":"a","jwksUrl":"https://a.example/keys"}]'],
  ])('takes %s %j', (key, value) => {
    expect(() => resolveConfig({ flags: { [key]: value } })).not.toThrow()
  })

  it('refuses limits that contradict each other', () => {
    expect(refusal({ flags: { maxBodyBytes: 300_000_000 } })).toContain('maxBodiesInFlightBytes (268435456)')
    expect(refusal({ flags: { shutdownGraceMs: 31_000 } })).toContain('shutdownTimeoutMs (30000)')
  })

  it('asks for the URL of a Synapse backend, and reads it where Synapse has it', () => {
    expect(refusal({ flags: { backend: 'synapse' } })).toContain('needs a backendUrl')
    const environment = { SYNAPSE_HOST: 'https://b.example', SYNAPSE_PLUGIN_RUN_HOST: 'https://a.example' }
    expect(resolveConfig({ environment, flags: { backend: 'synapse' } }).backendUrl).toBe('https://a.example')
  })

  it('cuts a long value short in its message', () => {
    expect(refusal({ flags: { host: 'x'.repeat(10_000) } }).length).toBeLessThan(200)
  })

  it('refuses a section that is no object', () => {
    for (const file of [null, [], 'port', 1]) {
      expect(refusal({ file })).toBe('"isoplex" in package.json must be an object.')
    }
  })

  it('reads every integer alike from file, variable and flag', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_535 }), (port) => {
        const text = String(port)
        const configs = [
          { file: { port } },
          { environment: { ISOPLEX_PORT: text } },
          { flags: { port: text } },
        ]
        expect(configs.map((sources) => resolveConfig(sources).port)).toEqual([port, port, port])
      }),
    )
  })
})

describe('loadConfig', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'isoplex-config-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  it('reads the key isoplex of package.json', async () => {
    await writeFile(join(directory, 'package.json'), '{"name":"a","isoplex":{"port":4000}}')
    expect((await loadConfig(directory)).port).toBe(4000)
    expect((await loadConfig(directory, { flags: { port: 5000 } })).port).toBe(5000)
  })

  it('gives the defaults without a package.json and without the key', async () => {
    expect(await loadConfig(directory)).toEqual(defaults)
    await writeFile(join(directory, 'package.json'), '{}')
    expect(await loadConfig(directory)).toEqual(defaults)
  })

  it('fails with a package.json that is broken', async () => {
    await writeFile(join(directory, 'package.json'), '{')
    await expect(loadConfig(directory)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

it.each([
  [
    'mysql://isoplex:hidden@host/jobs',
    /^ISOPLEX_JOB_STORE_URL must be a URL such as .*; it is something else\.$/,
  ],
  ['isoplex:hidden@host', /^ISOPLEX_JOB_STORE_URL must be a URL such as .*; it is something else\.$/],
  ['postgres://isoplex:hidden@host:99999/jobs', /^jobStoreUrl is no URL/],
])('shows no password of a database that it refuses: %s', (url, expected) => {
  const message = refusal({ environment: { ISOPLEX_JOB_STORE_URL: url } })
  expect(message).toMatch(expected)
  expect(message).not.toContain('hidden')
})

it('shows no password of any other URL that it refuses', () => {
  const message = refusal({ environment: { ISOPLEX_BACKEND_URL: 'ftp://user:hidden@host/path' } })
  expect(message).toContain('ftp://…@host/path')
  expect(message).not.toContain('hidden')
})
