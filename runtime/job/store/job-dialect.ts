/** What differs between the databases: everything else is one set of statements. */
export interface JobDialect {
  /** The type of an id: it is compared byte by byte. */
  readonly idType: string
  /** The type of integers beyond 32 bits. Some databases give them as text. */
  readonly bigType: string
  readonly bytesType: string
  /** What follows the columns of a table. */
  readonly tableEnd: string
  /**
   * The database's own clock in milliseconds since 1970, as an expression: servers whose clocks differ agree on when
   * a lease ends.
   */
  readonly nowMs: string
  /** What follows a SELECT of rows that nobody else may change before the transaction ends. */
  readonly lock: string
  /** The same, passing over rows that somebody else is changing. */
  readonly lockFree: string
  /** What follows the name of a table that is to be read by an index, where the database would choose a worse one. */
  readonly indexedBy: Readonly<Record<'job_queued' | 'job_interrupted', string>>
  /** A statement at the beginning of a migration: nobody else migrates until the transaction ends. */
  readonly lockSchema: string
}

/** SQLite. A transaction that writes is alone from its beginning. */
export const sqliteDialect: JobDialect = Object.freeze({
  idType: 'TEXT',
  bigType: 'INTEGER',
  bytesType: 'BLOB',
  tableEnd: 'STRICT',
  nowMs: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
  lock: '',
  lockFree: '',
  // It takes any index with an equality for better than one that needs no sorting.
  indexedBy: { job_queued: 'INDEXED BY job_queued', job_interrupted: 'INDEXED BY job_interrupted' },
  lockSchema: 'SELECT 1',
})

/** PostgreSQL, from 12 on. */
export const postgresDialect: JobDialect = Object.freeze({
  idType: 'TEXT COLLATE "C"',
  bigType: 'BIGINT',
  bytesType: 'BYTEA',
  tableEnd: '',
  nowMs: 'CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)',
  lock: 'FOR UPDATE',
  lockFree: 'FOR UPDATE SKIP LOCKED',
  indexedBy: { job_queued: '', job_interrupted: '' },
  // The number is this schema's own: "isoplex" by the letters' places on a telephone.
  lockSchema: 'SELECT pg_advisory_xact_lock(4767539)',
})
