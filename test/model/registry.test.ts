import { readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { buildArchive } from '../support/archive-builder.ts'
import { createScratch, type Scratch } from './scratch.ts'
import {
  actor,
  addVersions,
  bearer,
  findVersions,
  openScratchRegistry as open,
  question,
} from './scratch-registry.ts'

const artifacts = async (scratch: Scratch): Promise<number> =>
  (await readdir(scratch.path('models/artifacts'))).length

describe('the registry', () => {
  it('gives the version that was added last', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const a = await scratch.write('a.onnx', 'graph a')
    const b = await scratch.write('b.onnx', 'graph b')
    const first = await registry.add({ actor, id: 'digits', source: a, fields: { labels: ['zero'] } })
    expect(first).toMatchObject({ id: 'digits', version: 1, sizeBytes: 7, changed: true })
    const second = await registry.add({ actor, id: 'digits', source: b })
    const { digest } = second
    const artifact = { digest, url: null, checksum: null, sizeBytes: 7, stamp: digest }
    const record = { id: 'digits', version: '2', artifact, fields: {} }
    expect(await registry.find(question('digits'))).toEqual({
      tenant: null,
      versions: [{ weight: 1, record }],
    })
    const again = await registry.add({ actor, id: 'digits', source: a, fields: { labels: ['zero'] } })
    expect(again).toEqual({ ...first, version: 3 })
    expect(await registry.find(question('digits'))).toMatchObject({
      versions: [{ record: { version: '3', fields: { labels: ['zero'] } } }],
    })
  })

  it('changes nothing when the newest version is added again', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const source = await scratch.write('a.onnx', 'graph')
    const first = await registry.add({ actor, id: 'digits', source })
    expect(await registry.add({ actor, id: 'digits', source })).toEqual({ ...first, changed: false })
    expect(await registry.add({ actor, id: 'digits', source, fields: { a: 1 } })).toMatchObject({
      version: 2,
      changed: true,
    })
    expect((await registry.show('digits')).versions.map(({ version }) => version)).toEqual([2, 1])
    expect(await scratch.list('models/staging')).toEqual([])
  })

  it('lists models by id with their versions, newest first', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    expect(await registry.list()).toEqual([])
    const source = await scratch.write('a.onnx', 'graph')
    const beforeMs = Date.now()
    for (const id of ['b', 'a']) await registry.add({ actor, id, source })
    const models = await registry.list()
    expect(models.map(({ id }) => id)).toEqual(['a', 'b'])
    expect(models[0]).toEqual(await registry.show('a'))
    const [version] = models[0]?.versions ?? []
    expect(version).toMatchObject({ version: 1, sizeBytes: 5, fields: {} })
    expect(version?.addedAtMs).toBeGreaterThanOrEqual(beforeMs)
    expect(structuredClone(models)).toEqual(models)
  })

  it.each([
    '',
    '-a',
    '.a',
    '_a',
    'a/b',
    'a b',
    'a\n',
    'é',
    '../a',
    'a'.repeat(129),
    '\ud800',
    "a'; DROP TABLE models",
  ])('takes no model called %j, and has none', async (id) => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const source = await scratch.write('a.onnx', 'graph')
    await expect(registry.add({ actor, id, source })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      details: { issues: [{ path: '/id' }] },
    })
    for (const asked of [
      registry.find(question(id)),
      registry.show(id),
      registry.remove({ actor, id, version: null }),
    ]) {
      await expect(asked).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
    }
  })

  it('takes every id that fits, such as 128 characters', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const source = await scratch.write('a.onnx', 'graph')
    for (const id of ['a', '0', 'a.b_c-D', 'a'.repeat(128)]) {
      expect(await registry.add({ actor, id, source })).toMatchObject({ id, version: 1 })
    }
  })

  it('adds nothing where the artifact is refused', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const source = await scratch.write('evil.zip', buildArchive([{ name: '/evil' }]))
    await expect(registry.add({ actor, id: 'evil', source })).rejects.toMatchObject({
      code: 'ARTIFACT_BROKEN',
    })
    expect(await registry.list()).toEqual([])
    expect(await artifacts(scratch)).toBe(0)
  })

  it('keeps what it has when it is opened again, also from two places at once', async () => {
    await using scratch = await createScratch()
    await using first = await open(scratch)
    await using second = await open(scratch)
    const sources = await Promise.all(
      [1, 2, 3, 4].map((name) => scratch.write(`${name}.onnx`, `graph ${name}`)),
    )
    const added = await Promise.all(
      sources.map((source, index) => (index % 2 ? first : second).add({ actor, id: 'a', source })),
    )
    expect(added.map(({ version }) => version).toSorted()).toEqual([1, 2, 3, 4])
    expect(await first.list()).toEqual(await second.list())
  })

  it('never names an artifact that is gone, while models that share it come and go', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const source = await scratch.write('a.onnx', 'graph')
    const churn = async (id: string): Promise<void> => {
      for (let round = 0; round < 10; round += 1) {
        await registry.add({ actor, id, source })
        expect(await artifacts(scratch)).toBe(1)
        await registry.remove({ actor, id, version: null })
      }
    }
    await Promise.all(['a', 'b', 'c'].map(churn))
    expect(await artifacts(scratch)).toBe(0)
  })
})

describe('a model that is asked for', () => {
  it('is its newest version, the one that is named, or those that its alias names', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    await addVersions(registry, scratch, 'digits', 4)
    const targets = [
      { version: 3, weight: 90 },
      { version: 4, weight: 10 },
    ]
    await registry.setAlias({ actor, id: 'digits', alias: 'prod', targets })
    expect(await findVersions(registry, 'digits')).toEqual([['4', 1]])
    expect(await findVersions(registry, 'digits@2')).toEqual([['2', 1]])
    expect(await findVersions(registry, 'digits@prod')).toEqual([
      ['4', 10],
      ['3', 90],
    ])
    const found = await registry.find(question('digits@prod'))
    expect(found.versions[1]?.record).toMatchObject({ id: 'digits', version: '3', fields: { note: 3 } })
    expect(structuredClone(found)).toEqual(found)
  })

  it.each([
    ['speech', 'There is no model "speech"; "isoplex models list" shows those there are.'],
    ['speech@prod', 'There is no model "speech@prod"; "isoplex models list" shows those there are.'],
    ['digits@2', 'The model "digits" has no version 2; "isoplex models show digits" shows what it has.'],
    [
      'digits@prod',
      'The model "digits" has no alias "prod"; "isoplex models show digits" shows what it has.',
    ],
    ['digits@0', 'There is no model "digits@0"; "isoplex models list" shows those there are.'],
  ])('is told how to be found where there is no %s', async (modelId, message) => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    await addVersions(registry, scratch, 'digits')
    await expect(registry.find(question(modelId))).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message,
      details: { model: modelId },
    })
  })

  it('shows nothing of itself to those who may not use it', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    await addVersions(registry, scratch, 'digits', 1, 'globex')
    const messages = new Set<unknown>()
    for (const modelId of ['digits', 'digits@1', 'digits@2', 'digits@prod']) {
      const asked = registry.find(question(modelId, { tenant: 'acme' }))
      await expect(asked).rejects.toMatchObject({ code: 'MODEL_FORBIDDEN', details: { model: modelId } })
      await asked.catch((error: Error) => messages.add(error.message))
    }
    expect(messages.size).toBe(1)
  })

  it('is refused before it is said whether it is there', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    await addVersions(registry, scratch, 'digits')
    const access = { tenant: null, models: ['digits'], rights: 'use', label: '', expiresAtMs: null } as const
    const { token } = await registry.addAccess({ actor, ...access })
    expect(await findVersions(registry, 'digits', bearer(token))).toEqual([['1', 1]])
    for (const modelId of ['speech', '', 'no id@@', '\ud800', 'x'.repeat(10_000)]) {
      const outcomes = await Promise.allSettled([
        registry.find(question(modelId, bearer(token))),
        registry.find(question(modelId, bearer('isoplexat_unknown'))),
        registry.find(question(modelId, { proven: false })),
        registry.find(question(modelId)),
      ])
      expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual([
        'MODEL_FORBIDDEN',
        'TOKEN_INVALID',
        'TOKEN_INVALID',
        'MODEL_NOT_FOUND',
      ])
    }
  })

  it('names neither the token nor what is in it where that is refused', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    const asked = registry.find(question('digits', bearer('isoplexat_secret', 'acme')))
    await expect(asked).rejects.toMatchObject({ code: 'TOKEN_INVALID', details: { reason: 'refused' } })
    await expect(asked).rejects.not.toMatchObject({ message: expect.stringMatching(/secret|acme/) })
  })
})

describe('a caller whom no model is asked for', () => {
  it('is confirmed by the same rule, whatever the token names', async () => {
    await using scratch = await createScratch()
    await using registry = await open(scratch)
    await registry.addTenant({ actor, name: 'acme' })
    const access = { tenant: 'acme', models: [], rights: 'use', label: '', expiresAtMs: null } as const
    const { token } = await registry.addAccess({ actor, ...access })
    expect(await registry.confirm(question('anything', bearer(token)))).toBe('acme')
    expect(await registry.confirm(question('anything', { tenant: 'initech' }))).toBe('initech')
    expect(await registry.confirm(question('anything'))).toBeNull()
    const claimed = registry.confirm(question('anything', bearer(token, 'globex')))
    await expect(claimed).rejects.toMatchObject({ code: 'MODEL_FORBIDDEN', details: { model: 'anything' } })
    const unproven = registry.confirm(question('anything', { proven: false, tenant: 'acme' }))
    await expect(unproven).rejects.toMatchObject({ code: 'TOKEN_INVALID' })
    await registry.revokeTenant({ actor, name: 'acme' })
    const issued = registry.confirm(question('anything', { tenant: 'acme' }))
    await expect(issued).rejects.toMatchObject({ code: 'MODEL_FORBIDDEN' })
    await expect(registry.confirm(question('anything', bearer(token)))).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
    })
  })
})
