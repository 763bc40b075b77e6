import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pathOf, type ServedRegistry, serveRegistry } from '../served-registry.ts'

let served: ServedRegistry
beforeEach(async () => {
  served = await serveRegistry()
})
afterEach(() => served[Symbol.asyncDispose]())

const base = '/-/registry'

describe('an artifact', () => {
  it('is given for its own grant, while it lasts', async () => {
    const digest = await served.addModel('a', 1)
    const other = await served.addModel('b', 2)
    const token = await served.token({})
    const path = pathOf((await served.call(`${base}/models/a/`, { token })).json.file)
    const refused = async (given: string): Promise<void> => {
      const reply = await served.call(given)
      expect(reply).toMatchObject({ status: 403, json: { code: 'GRANT_INVALID' } })
    }
    await refused(path.replace(digest, other))
    await refused(path.replace(digest, digest.toUpperCase()))
    await refused(path.replace(digest, `..%2f${digest}`))
    await refused(`${base}/artifacts/${digest}`)
    await refused(path.replace('grant=', 'grant=1'))
    served.nowMs += 899_000
    expect((await served.fetch(path)).status).toBe(200)
    served.nowMs += 1_001
    await refused(path)
    expect(JSON.stringify(served.log)).toBe('[]')
  })

  it('is not given for a grant that differs anywhere', async () => {
    await served.addModel('a', 1)
    const token = await served.token({})
    const path = pathOf((await served.call(`${base}/models/a/`, { token })).json.file)
    const start = path.indexOf('grant=') + 'grant='.length
    await fc.assert(
      fc.asyncProperty(
        fc.nat(path.length - start - 1),
        fc.constantFrom(...'09aZ_-.'),
        async (index, character) => {
          const altered = path.slice(0, start + index) + character + path.slice(start + index + 1)
          fc.pre(altered !== path)
          expect((await served.fetch(altered)).status).toBe(403)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('that was removed is gone', async () => {
    await served.addModel('a', 1)
    const token = await served.token({})
    const path = pathOf((await served.call(`${base}/models/a/`, { token })).json.file)
    await served.administration.removeModel({ actor: 'test', id: 'a', version: null })
    expect(await served.call(path)).toMatchObject({ status: 404, json: { code: 'ENTRY_NOT_FOUND' } })
  })
})
