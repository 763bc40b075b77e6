import { assertUnnamed } from './alias-table.ts'
import { assertInput, inputInvalid, isCount } from './input.ts'
import { isModelId, modelNotFound, selectedNotFound } from './model-id.ts'
import type { DigestRow } from './registration.ts'
import type { Transaction } from './transaction.ts'

/** A model to be removed, or one version of it. */
export interface RemoveModelOptions {
  readonly id: string
  /** The version; `null` for the model with all its versions and aliases. */
  readonly version: number | null
}

interface OriginRow {
  readonly folder_fingerprint: string | null
}

/**
 * Removes a model or a version within a transaction, and gives what is gone.
 *
 * @throws {IsoplexError} `MODEL_NOT_FOUND`, `INPUT_INVALID` where an alias names the version, or the model comes
 * from a folder.
 */
export async function removeModel(
  transaction: Transaction,
  { id, version }: RemoveModelOptions,
): Promise<readonly DigestRow[]> {
  assertInput(['/version', version === null || isCount(version), 'null, or a whole number from 1'])
  const origin = await findOrigin(transaction, id)
  if (origin === undefined) throw modelNotFound(String(id))
  // It would be registered again by whoever looks next.
  if (origin.folder_fingerprint !== null) throw comesFromFolder()
  return version === null ? dropModel(transaction, id) : dropVersion(transaction, id, version)
}

/** Removes a model that comes from a folder, and gives what is gone: nothing where it comes from none any more. */
export async function removeFolderModel(transaction: Transaction, id: string): Promise<readonly DigestRow[]> {
  const origin = await findOrigin(transaction, id)
  return origin === undefined || origin.folder_fingerprint === null ? [] : dropModel(transaction, id)
}

async function findOrigin({ sql }: Transaction, id: string): Promise<OriginRow | undefined> {
  if (!isModelId(id)) return undefined
  const [row] = await sql<OriginRow[]>`
    SELECT folder_fingerprint FROM models WHERE id = ${id}
    AND EXISTS (SELECT 1 FROM versions WHERE model_id = id)`
  return row
}

async function dropModel(transaction: Transaction, id: string): Promise<readonly DigestRow[]> {
  const { sql, note } = transaction
  await sql`DELETE FROM aliases WHERE model_id = ${id}`
  const dropped = await sql<DigestRow[]>`DELETE FROM versions WHERE model_id = ${id} RETURNING digest`
  await forgetOwner(transaction, id)
  await note('model.remove', id)
  return dropped
}

async function dropVersion(
  transaction: Transaction,
  id: string,
  version: number,
): Promise<readonly DigestRow[]> {
  const { sql, note } = transaction
  await assertUnnamed(transaction, id, version)
  const dropped = await sql<DigestRow[]>`
    DELETE FROM versions WHERE model_id = ${id} AND version = ${version} RETURNING digest`
  if (dropped.length === 0) throw selectedNotFound(id, version)
  await forgetOwner(transaction, id)
  await note('model.remove', `${id}@${version}`)
  return dropped
}

/** A model without versions is none. Its row only counts on. */
async function forgetOwner({ sql }: Transaction, id: string): Promise<void> {
  await sql`
    UPDATE models SET tenant = NULL WHERE id = ${id} AND NOT EXISTS (SELECT 1 FROM versions WHERE model_id = ${id})`
}

function comesFromFolder(): Error {
  return inputInvalid([
    {
      path: '/id',
      message: 'comes from a model folder and stays as long as that is there; remove the folder',
    },
  ])
}
