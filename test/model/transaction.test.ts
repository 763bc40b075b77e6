import { expect, it } from 'vitest'
import { openRegistryDatabase } from '../../runtime/model/registry-database.ts'
import { transact } from '../../runtime/model/transaction.ts'
import { createScratch } from './scratch.ts'

it('makes a change and its line in the audit, or neither', async () => {
  await using scratch = await createScratch()
  const database = await openRegistryDatabase(scratch.path('registry.sqlite'))
  const add = (name: string, then: () => void): Promise<void> =>
    transact(database, { actor: 'ann', nowMs: 1000 }, async ({ sql, nowMs, note }) => {
      await sql`INSERT INTO tenants (name, added_at_ms) VALUES (${name}, ${nowMs})`
      await note('tenant.add', name)
      then()
    })
  await add('acme', () => undefined)
  await expect(
    add('globex', () => {
      throw new Error('too late')
    }),
  ).rejects.toThrow('too late')
  const { reading, close } = database
  expect([...(await reading`SELECT name FROM tenants`)]).toEqual([{ name: 'acme' }])
  expect([...(await reading`SELECT at_ms, actor, target, details FROM audit`)]).toEqual([
    { at_ms: 1000, actor: 'ann', target: 'acme', details: '{}' },
  ])
  await close()
})

it('keeps changes that are made at once apart', async () => {
  await using scratch = await createScratch()
  const path = scratch.path('registry.sqlite')
  const databases = await Promise.all([openRegistryDatabase(path), openRegistryDatabase(path)])
  const change = (index: number): Promise<void> =>
    transact(databases[index % 2] ?? databases[0], { actor: 'ann', nowMs: index }, async ({ sql, note }) => {
      await sql`INSERT INTO tenants (name, added_at_ms) VALUES (${`t${index}`}, 0)`
      await Bun.sleep(1)
      await note('tenant.add', `t${index}`)
      if (index % 3 === 0) throw new Error('taken back')
    })
  const outcomes = await Promise.allSettled(Array.from({ length: 30 }, (_, index) => change(index)))
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(10)
  const [first] = databases
  expect([...(await first.reading`SELECT name FROM tenants EXCEPT SELECT target FROM audit`)]).toEqual([])
  expect([...(await first.reading`SELECT count(*) AS count FROM audit`)]).toEqual([{ count: 20 }])
  for (const { close } of databases) await close()
})

it.each(['', 'a\nb', 'x'.repeat(257), undefined as never])('is not made by %j', async (actor) => {
  await using scratch = await createScratch()
  const database = await openRegistryDatabase(scratch.path('registry.sqlite'))
  let ran = false
  const change = transact(database, { actor, nowMs: 0 }, async () => {
    ran = true
  })
  await expect(change).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    details: { issues: [{ path: '/actor' }] },
  })
  expect(ran).toBe(false)
  await database.close()
})
