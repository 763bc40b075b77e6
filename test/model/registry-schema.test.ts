import { SQL } from 'bun'
import { expect, it } from 'vitest'
import { openArtifactStore } from '../../runtime/model/artifact-store.ts'
import { openRegistryDatabase } from '../../runtime/model/registry-database.ts'
import { createScratch, type Scratch } from './scratch.ts'
import { actor, findVersions, openScratchRegistry } from './scratch-registry.ts'

/** Makes a registry as the first isoplex did, by its own words, with two versions of one model and one of another. */
async function makeFirstForm(scratch: Scratch): Promise<void> {
  const store = await openArtifactStore({ directory: scratch.path('models') })
  const { digest, sizeBytes } = await store.put(await scratch.write('model.onnx', 'graph'))
  const sql = new SQL({ adapter: 'sqlite', filename: scratch.path('models/registry.sqlite') })
  for (const statement of [
    'PRAGMA journal_mode = WAL',
    'CREATE TABLE registry_schema (version INTEGER NOT NULL) STRICT',
    `CREATE TABLE models (
      id TEXT PRIMARY KEY,
      folder_fingerprint TEXT,
      last_version INTEGER NOT NULL
    ) STRICT`,
    `CREATE TABLE versions (
      model_id TEXT NOT NULL REFERENCES models (id),
      version INTEGER NOT NULL,
      digest TEXT NOT NULL,
      size_bytes INTEGER NOT NULL,
      fields TEXT NOT NULL,
      added_at_ms INTEGER NOT NULL,
      PRIMARY KEY (model_id, version)
    ) STRICT`,
    'CREATE INDEX versions_by_digest ON versions (digest)',
    'INSERT INTO registry_schema (version) VALUES (1)',
    `INSERT INTO models VALUES ('digits', NULL, 7), ('speech', 'a fingerprint', 1), ('gone', NULL, 4)`,
    `INSERT INTO versions VALUES ('digits', 3, '${digest}', ${sizeBytes}, '{"a":1}', 1000),
      ('digits', 7, '${digest}', ${sizeBytes}, '{}', 2000), ('speech', 1, '${digest}', ${sizeBytes}, '{}', 3000)`,
  ]) {
    await sql.unsafe(statement)
  }
  await sql.close()
}

it('keeps the models of a registry of form 1, and gives it all that later forms have', async () => {
  await using scratch = await createScratch()
  await makeFirstForm(scratch)
  await using registry = await openScratchRegistry(scratch)
  expect(await registry.list()).toMatchObject([
    {
      id: 'digits',
      tenant: null,
      folderFingerprint: null,
      aliases: [],
      versions: [
        { version: 7, fields: {}, addedAtMs: 2000 },
        { version: 3, fields: { a: 1 }, addedAtMs: 1000 },
      ],
    },
    { id: 'speech', folderFingerprint: 'a fingerprint', versions: [{ version: 1 }] },
  ])
  expect(await findVersions(registry, 'digits')).toEqual([['7', 1]])
  expect(await findVersions(registry, 'digits@3')).toEqual([['3', 1]])
  const targets = [{ version: 3, weight: 1 }]
  await registry.setAlias({ actor, id: 'digits', alias: 'prod', targets })
  await registry.addTenant({ actor, name: 'acme' })
  const source = await scratch.write('other.onnx', 'other')
  expect(await registry.add({ actor, id: 'gone', source, tenant: 'acme' })).toMatchObject({ version: 5 })
  expect(await registry.show('gone')).toMatchObject({ tenant: 'acme' })
  expect(await registry.listApplications('all')).toEqual([])
})

it('is brought up to date once, however many open it', async () => {
  await using scratch = await createScratch()
  await makeFirstForm(scratch)
  const path = scratch.path('models/registry.sqlite')
  const databases = await Promise.all([1, 2, 3, 4].map(() => openRegistryDatabase(path)))
  for (const { reading, close } of databases) {
    expect([...(await reading`SELECT version FROM registry_schema`)]).toEqual([{ version: 3 }])
    await close()
  }
})

it('leaves a registry of form 1 as it was where it cannot be brought up to date', async () => {
  await using scratch = await createScratch()
  await makeFirstForm(scratch)
  const path = scratch.path('models/registry.sqlite')
  const before = new SQL({ adapter: 'sqlite', filename: path })
  // In the way of the last statement.
  await before`CREATE TABLE audit (id INTEGER PRIMARY KEY)`
  await expect(openRegistryDatabase(path)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  expect([...(await before`SELECT version FROM registry_schema`)]).toEqual([{ version: 1 }])
  expect([...(await before`SELECT name FROM sqlite_schema WHERE name = 'tenants'`)]).toEqual([])
  expect([...(await before`SELECT id FROM models ORDER BY id`)]).toHaveLength(3)
  await before.close()
})

it('lets nothing be lost between the tables', async () => {
  await using scratch = await createScratch()
  const { write, close } = await openRegistryDatabase(scratch.path('registry.sqlite'))
  for (const statement of [
    `INSERT INTO versions VALUES ('a', 1, 'd', 1, '{}', 0)`,
    `INSERT INTO aliases VALUES ('a', 'prod', 1, 1)`,
    `INSERT INTO accesses VALUES (1, x'00', 'nobody', NULL, 'use', '', 0, NULL, NULL)`,
    `INSERT INTO tenants VALUES ('acme', 'no time', NULL)`,
  ]) {
    await expect(write((sql) => sql.unsafe(statement))).rejects.toThrow(/constraint|datatype|cannot store/i)
  }
  await close()
})
