import type { TransactionSQL } from 'bun'

/**
 * How the tables came to be what they are: the statements of form 1, those that make form 2 of it, and so on. What
 * once was released is not changed any more.
 */
const forms: readonly (readonly string[])[] = [
  [
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
  ],
  [
    'ALTER TABLE models ADD COLUMN tenant TEXT',
    // An alias is its rows. A version that one names cannot be deleted.
    `CREATE TABLE aliases (
      model_id TEXT NOT NULL,
      alias TEXT NOT NULL,
      version INTEGER NOT NULL,
      weight INTEGER NOT NULL,
      PRIMARY KEY (model_id, alias, version),
      FOREIGN KEY (model_id, version) REFERENCES versions (model_id, version)
    ) STRICT`,
    'CREATE INDEX aliases_by_version ON aliases (model_id, version)',
    `CREATE TABLE tenants (
      name TEXT PRIMARY KEY,
      added_at_ms INTEGER NOT NULL,
      revoked_at_ms INTEGER
    ) STRICT`,
    `CREATE TABLE accesses (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      token_hash BLOB NOT NULL UNIQUE,
      tenant TEXT REFERENCES tenants (name),
      models TEXT,
      rights TEXT NOT NULL,
      label TEXT NOT NULL,
      added_at_ms INTEGER NOT NULL,
      expires_at_ms INTEGER,
      revoked_at_ms INTEGER
    ) STRICT`,
    'CREATE INDEX accesses_by_tenant ON accesses (tenant)',
    `CREATE TABLE audit (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at_ms INTEGER NOT NULL,
      actor TEXT NOT NULL,
      action TEXT NOT NULL,
      target TEXT NOT NULL,
      details TEXT NOT NULL
    ) STRICT`,
  ],
  [
    `CREATE TABLE serve_applications (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      tenant TEXT,
      name TEXT NOT NULL,
      facts TEXT NOT NULL,
      registered_at_ms INTEGER NOT NULL
    ) STRICT`,
    // Null is a tenant like any other here.
    `CREATE UNIQUE INDEX serve_applications_by_name ON serve_applications (ifnull(tenant, ''), name)`,
  ],
]

/** The form of the tables that this isoplex reads and writes. */
export const schemaForm: number = forms.length

/**
 * Brings the tables up to the form of this isoplex, from none or any earlier form, and gives the form that they have
 * then: a higher one where they are those of a newer isoplex, which are left alone. To be run in one transaction.
 */
export async function migrate(sql: TransactionSQL): Promise<number> {
  await sql`CREATE TABLE IF NOT EXISTS registry_schema (version INTEGER NOT NULL) STRICT`
  const [row] = await sql<{ version: number }[]>`SELECT version FROM registry_schema`
  const found = row?.version ?? 0
  if (found >= schemaForm) return found
  for (const statement of forms.slice(found).flat()) await sql.unsafe(statement)
  if (row === undefined) await sql`INSERT INTO registry_schema (version) VALUES (${schemaForm})`
  else await sql`UPDATE registry_schema SET version = ${schemaForm}`
  return schemaForm
}
