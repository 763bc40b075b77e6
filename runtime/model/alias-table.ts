import { IsoplexError } from '../error/error.ts'
import { assertInput } from './input.ts'
import { isModelId, modelNotFound, selectedNotFound } from './model-id.ts'
import { assertTargets, isAlias } from './model-name.ts'
import type { AliasTarget, RegisteredAlias } from './registered-model.ts'
import type { Transaction } from './transaction.ts'

/** An alias of a model. */
export interface AliasOptions {
  readonly id: string
  /** A letter, then letters, digits, `.`, `_` and `-`: up to 64 characters. */
  readonly alias: string
}

/** What an alias is to mean from now on. */
export interface SetAliasOptions extends AliasOptions {
  /** 1 to 16 versions, each with a weight from 1 to 1,000,000. */
  readonly targets: readonly AliasTarget[]
}

/**
 * Gives a model an alias, or an alias another meaning. What it means already changes nothing.
 *
 * @throws {IsoplexError} `INPUT_INVALID`, `MODEL_NOT_FOUND` for the model or a version that is not there.
 */
export async function setAlias(transaction: Transaction, options: SetAliasOptions): Promise<RegisteredAlias> {
  const { sql, note } = transaction
  const { id, alias } = options
  assertAlias(alias)
  assertTargets(options.targets)
  const targets = options.targets
    .map(({ version, weight }) => Object.freeze({ version, weight }))
    .toSorted((a, b) => b.version - a.version)
  await assertVersions(transaction, id, targets)
  const known = await listTargets(transaction, options)
  if (!Bun.deepEquals(known, targets)) {
    await sql`DELETE FROM aliases WHERE model_id = ${id} AND alias = ${alias}`
    for (const { version, weight } of targets) {
      await sql`
        INSERT INTO aliases (model_id, alias, version, weight) VALUES (${id}, ${alias}, ${version}, ${weight})`
    }
    await note('alias.set', `${id}@${alias}`, { targets, former: known })
  }
  return Object.freeze({ alias, targets: Object.freeze(targets) })
}

/**
 * Removes an alias.
 *
 * @throws {IsoplexError} `INPUT_INVALID`, `MODEL_NOT_FOUND` for the model, `ENTRY_NOT_FOUND` for the alias.
 */
export async function removeAlias(transaction: Transaction, options: AliasOptions): Promise<void> {
  const { sql, note } = transaction
  const { id, alias } = options
  assertAlias(alias)
  await assertVersions(transaction, id, [])
  const former = await listTargets(transaction, options)
  if (former.length === 0) throw aliasNotFound(options)
  await sql`DELETE FROM aliases WHERE model_id = ${id} AND alias = ${alias}`
  await note('alias.remove', `${id}@${alias}`, { former })
}

/**
 * Holds a version to be one that no alias names.
 *
 * @throws {IsoplexError} `INPUT_INVALID`
 */
export async function assertUnnamed({ sql }: Transaction, id: string, version: number): Promise<void> {
  const aliases = await sql<{ alias: string }[]>`
    SELECT alias FROM aliases WHERE model_id = ${id} AND version = ${version} ORDER BY alias`
  if (aliases.length === 0) return
  const names = aliases.map(({ alias }) => `${id}@${alias}`).join(', ')
  const message = `is named by ${names}; give that another version, or remove it`
  throw new IsoplexError('INPUT_INVALID', `${id}@${version} ${message}.`, {
    details: { issues: [{ path: '/version', message }] },
  })
}

async function listTargets(
  { sql }: Transaction,
  { id, alias }: AliasOptions,
): Promise<readonly AliasTarget[]> {
  const rows = await sql<AliasTarget[]>`
    SELECT version, weight FROM aliases WHERE model_id = ${id} AND alias = ${alias} ORDER BY version DESC`
  return rows.map(({ version, weight }) => ({ version, weight }))
}

async function assertVersions(
  { sql }: Transaction,
  id: string,
  targets: readonly AliasTarget[],
): Promise<void> {
  if (!isModelId(id)) throw modelNotFound(String(id))
  const rows = await sql<{ version: number }[]>`SELECT version FROM versions WHERE model_id = ${id}`
  if (rows.length === 0) throw modelNotFound(id)
  const known = new Set(rows.map(({ version }) => version))
  const missing = targets.find(({ version }) => !known.has(version))
  if (missing !== undefined) throw selectedNotFound(id, missing.version)
}

function assertAlias(alias: string): void {
  assertInput(['/alias', isAlias(alias), 'a letter, then letters, digits, ".", "_" and "-", 64 at most'])
}

function aliasNotFound({ id, alias }: AliasOptions): IsoplexError<'ENTRY_NOT_FOUND'> {
  const name = `${id}@${alias}`
  const text = `There is no alias ${name}; "isoplex models show ${id}" shows those there are.`
  return new IsoplexError('ENTRY_NOT_FOUND', text, { details: { entry: name } })
}
