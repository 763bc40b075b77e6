import { migrate, schemaForm } from './registry-schema.ts'
import { openSqliteDatabase, type SqliteDatabase } from './sqlite-database.ts'

/** The registry's tables. */
export type RegistryDatabase = SqliteDatabase

/**
 * Opens the registry's database; makes its tables where it is new, and brings those of an older isoplex up to date.
 * Several processes may do so at once.
 *
 * @throws {IsoplexError} `CONFIG_INVALID` where the file is no registry or one of a newer isoplex, `STORAGE_FULL`.
 */
export function openRegistryDatabase(path: string): Promise<RegistryDatabase> {
  return openSqliteDatabase(path, {
    title: 'The model registry',
    form: schemaForm,
    migrate,
    synchronous: 'FULL',
  })
}
