import type { SQL } from 'bun'
import { assertInput, isName, nameRule } from './input.ts'
import type { Transaction } from './transaction.ts'

/** What a deployed application is registered with: as much as its client says, by the names that Synapse has. */
export interface ApplicationFacts {
  /** The job that has deployed it. */
  readonly job: string | number | null
  readonly status: string | null
  /** What the cluster tells of it. */
  readonly data: Readonly<Record<string, unknown>> | null
  readonly plugin_release: number | null
  /** The action that deploys it. */
  readonly action: string | null
  readonly params: Readonly<Record<string, unknown>> | null
  readonly num_replicas: number | null
}

/** An application to be registered. */
export interface ApplicationOptions {
  /** What it is deployed as: one application of a tenant. */
  readonly name: string
  /** For whom it is; `null` for none. */
  readonly tenant: string | null
  readonly facts: ApplicationFacts
}

/** A registered application. */
export interface RegisteredApplication extends ApplicationOptions {
  /** They count up, and an application keeps its own. */
  readonly id: number
  /** When it was registered the last time, in milliseconds since 1970. */
  readonly registeredAtMs: number
}

interface ApplicationRow {
  readonly id: number
  readonly tenant: string | null
  readonly name: string
  readonly facts: string
  readonly registered_at_ms: number
}

/**
 * Registers an application. One of that name and tenant that is there already keeps its id, and what is said of it now
 * takes the place of what was said before.
 *
 * @throws {IsoplexError} `INPUT_INVALID` at a wrong name.
 */
export async function registerApplication(
  { sql, nowMs, note }: Transaction,
  { name, tenant, facts }: ApplicationOptions,
): Promise<RegisteredApplication> {
  assertInput(['/name', isName(name), nameRule])
  const text = JSON.stringify(facts)
  const [known] = await sql<ApplicationRow[]>`
    SELECT * FROM serve_applications WHERE name = ${name} AND tenant IS ${tenant}`
  const [row] = known
    ? await sql<ApplicationRow[]>`
        UPDATE serve_applications SET facts = ${text}, registered_at_ms = ${nowMs} WHERE id = ${known.id}
        RETURNING *`
    : await sql<ApplicationRow[]>`
        INSERT INTO serve_applications (tenant, name, facts, registered_at_ms)
        VALUES (${tenant}, ${name}, ${text}, ${nowMs}) RETURNING *`
  if (!row) throw new Error('the registry has not kept the application')
  await note('application.register', name, { tenant, status: facts.status })
  return toRegisteredApplication(row)
}

/** The registered applications, those of one tenant or of all, in the order of their ids. */
export async function listApplications(
  sql: SQL,
  of: { readonly tenant: string | null } | 'all',
): Promise<readonly RegisteredApplication[]> {
  const rows =
    of === 'all'
      ? await sql<ApplicationRow[]>`SELECT * FROM serve_applications ORDER BY id`
      : await sql<ApplicationRow[]>`SELECT * FROM serve_applications WHERE tenant IS ${of.tenant} ORDER BY id`
  return Object.freeze(rows.map(toRegisteredApplication))
}

function toRegisteredApplication(row: ApplicationRow): RegisteredApplication {
  const { id, name, tenant, facts, registered_at_ms: registeredAtMs } = row
  // It was written here.
  return Object.freeze({ id, name, tenant, facts: JSON.parse(facts) as ApplicationFacts, registeredAtMs })
}
