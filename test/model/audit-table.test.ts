import { describe, expect, it } from 'vitest'
import { createScratch } from './scratch.ts'
import { addVersions, openScratchRegistry } from './scratch-registry.ts'

describe('the audit', () => {
  it('says who did what and when, newest first', async () => {
    await using scratch = await createScratch()
    await using registry = await openScratchRegistry(scratch, { now: () => 1000 })
    await addVersions(registry, scratch, 'digits', 2, 'acme')
    await registry.remove({ actor: 'ann', id: 'digits', version: 1 })
    await registry.remove({ actor: 'access 7', id: 'digits', version: null })
    const entries = await registry.listAudit({ limit: 100 })
    const added = { digest: expect.stringMatching(/^[0-9a-f]{64}$/), tenant: 'acme', fromFolder: false }
    const at = { atMs: 1000 }
    expect(entries).toEqual([
      { id: 4, ...at, actor: 'access 7', action: 'model.remove', target: 'digits', details: {} },
      { id: 3, ...at, actor: 'ann', action: 'model.remove', target: 'digits@1', details: {} },
      { id: 2, ...at, actor: 'test', action: 'model.add', target: 'digits@2', details: added },
      { id: 1, ...at, actor: 'test', action: 'model.add', target: 'digits@1', details: added },
    ])
    expect(structuredClone(entries)).toEqual(entries)
  })

  it('is read page by page', async () => {
    await using scratch = await createScratch()
    await using registry = await openScratchRegistry(scratch)
    for (let n = 1; n <= 7; n += 1) await registry.addTenant({ actor: 'ann', name: `t${n}` })
    const pages: string[][] = []
    let before: number | undefined
    for (;;) {
      const page = await registry.listAudit({ limit: 3, before })
      if (page.length === 0) break
      pages.push(page.map(({ target }) => target))
      before = page.at(-1)?.id
    }
    expect(pages).toEqual([['t7', 't6', 't5'], ['t4', 't3', 't2'], ['t1']])
  })

  it.each([
    { limit: 0 },
    { limit: 1001 },
    { limit: 1.5 },
    { limit: 1, before: 0 },
    { limit: 1, before: 'a' as never },
  ])('has no page %j', async (page) => {
    await using scratch = await createScratch()
    await using registry = await openScratchRegistry(scratch)
    await expect(registry.listAudit(page)).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  })
})
