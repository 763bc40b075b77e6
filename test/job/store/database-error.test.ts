import { SQL } from 'bun'
import { describe, expect, it } from 'vitest'
import { IsoplexError } from '../../../runtime/error/error.ts'
import { toDatabaseError } from '../../../runtime/job/store/database-error.ts'
import { rejectionOf } from '../../model/scratch.ts'
import { createDatabase, hasPostgres } from '../../support/postgres.ts'

const away = {
  code: 'JOB_STORE_UNAVAILABLE',
  details: { reason: 'unreachable', retryAfterMs: expect.any(Number) },
}

const raised = (code: string, errno?: string): Error => Object.assign(new Error('text'), { code, errno })

describe('toDatabaseError', () => {
  it.each([
    '08006',
    '25006',
    '25P03',
    '28P01',
    '3D000',
    '40001',
    '40P01',
    '53300',
    '55000',
    '57P01',
    '57P03',
    '58030',
  ])('takes the state %s for a server that is away', (state) => {
    expect(toDatabaseError(raised('ERR_POSTGRES_SERVER_ERROR', state))).toMatchObject(away)
  })

  it.each(['SQLITE_BUSY', 'SQLITE_LOCKED', 'SQLITE_IOERR_WRITE', 'ERR_POSTGRES_CONNECTION_CLOSED'])(
    'takes %s for a database that is away',
    (code) => {
      expect(toDatabaseError(raised(code))).toMatchObject(away)
    },
  )

  it.each([
    ['ERR_POSTGRES_SERVER_ERROR', '53100'],
    ['SQLITE_FULL', undefined],
    ['ENOSPC', undefined],
  ])('takes %s %s for a full disk', (code, state) => {
    expect(toDatabaseError(raised(code, state))).toMatchObject({ code: 'STORAGE_FULL' })
  })

  it.each([
    raised('ERR_POSTGRES_SERVER_ERROR', '42601'),
    raised('ERR_POSTGRES_SERVER_ERROR', '23505'),
    raised('ERR_POSTGRES_SERVER_ERROR'),
    raised('SQLITE_CONSTRAINT'),
    new TypeError('text'),
    new IsoplexError('LEASE_LOST', 'text'),
    'text',
  ])('leaves what means something else as it is: %s', (error) => {
    expect(toDatabaseError(error)).toBe(error)
  })
})

describe.runIf(hasPostgres)('errors of a PostgreSQL server', () => {
  const errorOf = async (
    url: string,
    act = (sql: SQL): Promise<unknown> => sql`SELECT 1`.execute(),
  ): Promise<unknown> => {
    const sql = new SQL({ url, max: 1, connectionTimeout: 1 })
    try {
      return toDatabaseError(await rejectionOf(act(sql)))
    } finally {
      await sql.close({ timeout: 0 })
    }
  }

  it('mean that it is away where nobody listens, answers or lets in', async () => {
    await using database = await createDatabase()
    expect(await errorOf('postgres://a@127.0.0.1:1/a')).toMatchObject(away)
    expect(await errorOf('postgres://a@isoplex.invalid/a')).toMatchObject(away)
    const mute = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
    expect(await errorOf(`postgres://a@127.0.0.1:${mute.port}/a`)).toMatchObject(away)
    mute.stop(true)
    const missing = new URL(database.url)
    missing.pathname = '/isoplex_nothing'
    expect(await errorOf(missing.href)).toMatchObject(away)
    await database.leave()
    expect(await errorOf(database.url)).toMatchObject(away)
  })

  it('mean that it is away where it ends the connection in the middle of a transaction', async () => {
    await using database = await createDatabase()
    const error = await errorOf(database.url, (sql) =>
      sql.begin(async (transaction) => {
        await transaction`SELECT 1`
        await database.leave()
        return await transaction`SELECT 1`
      }),
    )
    expect(error).toMatchObject(away)
  })
})
