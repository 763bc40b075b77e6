import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { AccessOptions } from '../../runtime/model/access-table.ts'
import { createScratch } from './scratch.ts'
import { actor, bearer, openScratchRegistry, question } from './scratch-registry.ts'

const plain: AccessOptions = { tenant: null, models: null, rights: 'use', label: '', expiresAtMs: null }

describe('an access', () => {
  it('is listed as it was made, without its token', async () => {
    await using scratch = await createScratch()
    await using registry = await openScratchRegistry(scratch, { now: () => 1000 })
    await registry.addTenant({ actor, name: 'acme' })
    const options = { tenant: 'acme', models: ['digits', 'speech'], rights: 'publish', label: 'CI' } as const
    const { id, token } = await registry.addAccess({ actor, ...options, expiresAtMs: 2000 })
    const listed = { id, ...options, addedAtMs: 1000, expiresAtMs: 2000, revokedAtMs: null }
    expect(await registry.listAccesses()).toEqual([listed])
    expect(await registry.checkAccess(token)).toEqual({
      id,
      tenant: 'acme',
      models: ['digits', 'speech'],
      rights: 'publish',
    })
    expect(await registry.revokeAccess({ actor, id })).toEqual({ ...listed, revokedAtMs: 1000 })
    expect(await registry.revokeAccess({ actor, id })).toEqual({ ...listed, revokedAtMs: 1000 })
    expect(await registry.listAccesses()).toEqual([{ ...listed, revokedAtMs: 1000 }])
    expect(await registry.checkAccess(token)).toBeNull()
    expect((await registry.listAudit({ limit: 9 })).map(({ action, target }) => [action, target])).toEqual([
      ['access.revoke', '1'],
      ['access.add', '1'],
      ['tenant.add', 'acme'],
    ])
  })

  it('counts until it ends, to the millisecond', async () => {
    await using scratch = await createScratch()
    let nowMs = 1000
    await using registry = await openScratchRegistry(scratch, { now: () => nowMs })
    const { token } = await registry.addAccess({ actor, ...plain, expiresAtMs: 2000 })
    nowMs = 1999
    expect(await registry.confirm(question('a', bearer(token)))).toBeNull()
    expect(await registry.checkAccess(token)).not.toBeNull()
    nowMs = 2000
    await expect(registry.confirm(question('a', bearer(token)))).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
    })
    expect(await registry.checkAccess(token)).toBeNull()
  })

  it('has a token that is nowhere in the files of the registry', async () => {
    await using scratch = await createScratch()
    await using registry = await openScratchRegistry(scratch)
    const { token } = await registry.addAccess({ actor, ...plain, label: 'a label to be found' })
    const names = (await scratch.list('models')).filter((name) => name.startsWith('registry.sqlite'))
    const contents = await Promise.all(names.map((name) => readFile(scratch.path('models', name), 'latin1')))
    expect(contents.some((content) => content.includes('a label to be found'))).toBe(true)
    expect(contents.some((content) => content.includes('isoplexat_'))).toBe(false)
    expect(contents.some((content) => content.includes(token.slice(-43)))).toBe(false)
  })

  it('is known by the whole token only', async () => {
    await using scratch = await createScratch()
    await using registry = await openScratchRegistry(scratch)
    const { token } = await registry.addAccess({ actor, ...plain })
    for (const other of [
      '',
      token.slice(0, -1),
      `${token} `,
      token.toUpperCase(),
      '%',
      '\ud800',
      'x'.repeat(1e6),
    ]) {
      expect(await registry.checkAccess(other)).toBeNull()
      await expect(registry.confirm(question('a', bearer(other)))).rejects.toMatchObject({
        code: 'TOKEN_INVALID',
      })
    }
  })

  it.each<[string, Partial<Record<keyof AccessOptions, unknown>>]>([
    ['/tenant', { tenant: '' }],
    ['/tenant', { tenant: 5 }],
    ['/tenant', { tenant: undefined }],
    ['/models', { models: ['digits@3'] }],
    ['/models', { models: ['digits', 5] }],
    ['/models', { models: 'digits' }],
    ['/models', { models: Array.from({ length: 1001 }, (_, index) => `m${index}`) }],
    ['/rights', { rights: 'root' }],
    ['/rights', { rights: ['admin'] }],
    ['/label', { label: 'x'.repeat(201) }],
    ['/label', { label: 'a\nb' }],
    ['/label', { label: null }],
    ['/expiresAtMs', { expiresAtMs: 1000 }],
    ['/expiresAtMs', { expiresAtMs: Number.NaN }],
    ['/expiresAtMs', { expiresAtMs: Number.POSITIVE_INFINITY }],
    ['/expiresAtMs', { expiresAtMs: '3000' }],
  ])('is refused for its %s in %j', async (path, options) => {
    await using scratch = await createScratch()
    await using registry = await openScratchRegistry(scratch, { now: () => 1000 })
    const added = registry.addAccess({ actor, ...plain, ...options } as AccessOptions & { actor: string })
    await expect(added).rejects.toMatchObject({ code: 'INPUT_INVALID', details: { issues: [{ path }] } })
    expect(await registry.listAccesses()).toEqual([])
  })

  it('may give as many as a thousand models, each once', async () => {
    await using scratch = await createScratch()
    await using registry = await openScratchRegistry(scratch)
    const models = Array.from({ length: 1000 }, (_, index) => `m${index % 999}`)
    await registry.addAccess({ actor, ...plain, models, label: 'x'.repeat(200) })
    expect((await registry.listAccesses())[0]?.models).toEqual(models.slice(0, 999))
    expect(await registry.listAudit({ limit: 1 })).toMatchObject([{ details: { modelCount: 999 } }])
  })

  it('needs a tenant that was added', async () => {
    await using scratch = await createScratch()
    await using registry = await openScratchRegistry(scratch)
    const added = registry.addAccess({ actor, ...plain, tenant: 'acme' })
    await expect(added).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND', details: { entry: 'acme' } })
  })

  it('that was never added cannot be revoked', async () => {
    await using scratch = await createScratch()
    await using registry = await openScratchRegistry(scratch)
    await expect(registry.revokeAccess({ actor, id: 1 })).rejects.toMatchObject({
      code: 'ENTRY_NOT_FOUND',
      details: { entry: '1' },
    })
    for (const id of [0, 1.5, Number.NaN, '1' as never]) {
      await expect(registry.revokeAccess({ actor, id })).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    }
  })
})
